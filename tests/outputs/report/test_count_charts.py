"""The charts of lines and zones: steps, drawn only where something changes."""

from __future__ import annotations

import numpy as np

from mot_dinov3.outputs.report.cards import build_cards
from mot_dinov3.outputs.report.count_charts import draw_counts, find_changes
from mot_dinov3.outputs.report.count_table import CountTable
from mot_dinov3.outputs.report.figures import find_figures
from mot_dinov3.outputs.report.recorder import RunData
from mot_dinov3.outputs.report.thinning import MOST_POINTS
from mot_dinov3.values.counting import FrameCounts, LineCounts, ZoneCounts
from mot_dinov3.values.run_facts import RunFacts, ZoneFacts


def table(crossings, inside):
    out = CountTable()
    for index, ((n_in, n_out), n) in enumerate(zip(crossings, inside, strict=True)):
        line = LineCounts("<b>door", ((0, 0), (1, 1)), n_in, n_out)
        zone = ZoneCounts("yard", ((0, 0), (1, 0), (1, 1)), n, 9)
        out.add(10 * index, FrameCounts((), (line,), (zone,)))
    return out


def test_every_line_has_two_traces_and_every_zone_one():
    crossings, visits = draw_counts(table([(0, 0), (1, 0), (1, 0), (1, 2)], [0, 2, 2, 1]))
    assert [trace["name"] for trace in crossings.traces] == [
        "&lt;b&gt;door in",
        "&lt;b&gt;door out",
    ]
    assert (crossings.traces[0]["x"], crossings.traces[0]["y"]) == ([0, 10, 30], [0, 1, 1])
    assert (crossings.traces[1]["x"], crossings.traces[1]["y"]) == ([0, 30], [0, 2])
    assert (visits.traces[0]["x"], visits.traces[0]["y"]) == ([0, 10, 30], [0, 2, 1])
    assert all(trace["line"]["shape"] == "hv" for trace in (*crossings.traces, *visits.traces))


def test_without_lines_and_zones_there_is_no_chart():
    assert draw_counts(CountTable()) == []


def test_a_series_that_always_changes_is_thinned():
    values = np.arange(3 * MOST_POINTS) % 7
    rows = find_changes(values)
    assert len(rows) <= MOST_POINTS
    assert (rows[0], rows[-1]) == (0, len(values) - 1)
    assert find_changes(values[:1]).tolist() == [0]


def test_cards_tell_the_sums_of_lines_and_zones():
    zone = ZoneFacts({"person": 4}, {"person": 3}, 2, {"person": {"1": 2.0, "7": 4.0}})
    facts = RunFacts(
        identities={"person": 6}, lines={"door": {"in": {"person": 1003}, "out": {}}},
        zones={"yard": zone, "attic": ZoneFacts({}, {}, 0, {})},
    )  # fmt: skip
    known = find_figures(RunData("run", facts=facts))
    cards = {card.title: card for card in build_cards(known, 0)}
    assert (cards["Line door"].value, cards["Line door"].unit) == ("1,003", "in, 0 out")
    assert cards["Line door"].note == "in: person 1,003"
    assert (cards["Zone yard"].value, cards["Zone yard"].unit) == ("4", "entered")
    assert "3.0 s each on average" in cards["Zone yard"].note
    assert cards["Zone attic"].note == "never entered"
