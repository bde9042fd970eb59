"""Figures and frames that hold anything: unknown is said, nothing breaks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.reports import figures as written
from helpers.reports import line, recorded, result, track, write_journal
from mot_dinov3.outputs.report.cards import build_cards
from mot_dinov3.outputs.report.compare import build_table, find_differences
from mot_dinov3.outputs.report.figures import find_figures
from mot_dinov3.outputs.report.finding import find_runs, load_run
from mot_dinov3.outputs.report.identities import build_identities
from mot_dinov3.outputs.report.recorder import RunData
from mot_dinov3.outputs.report.single import draw_charts, list_missing, run_page
from mot_dinov3.outputs.report.suspects import find_suspects
from mot_dinov3.outputs.report.tables import build_stage_rows, describe_run, list_versions
from mot_dinov3.outputs.report.tables import list_settings as rows_of
from mot_dinov3.outputs.report.video import find_video
from mot_dinov3.values.stats_json import facts_from_stats

REALS = st.floats(allow_nan=False, allow_infinity=False)
LEAVES = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | REALS | st.text(max_size=20)


def nested(inner):
    return st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)


JSON = st.recursive(LEAVES, nested, max_leaves=8)
WALK = [result(i, {1: (i, 0, i + 9, 30)}) for i in range(6)]
KEYS = sorted(written())


@settings(max_examples=150, deadline=None)
@given(data=st.data(), keys=st.lists(st.sampled_from(KEYS), max_size=6), framed=st.booleans())
def test_figures_may_hold_anything(data, keys, framed):
    stats = written(**{key: data.draw(JSON) for key in keys})
    for key in data.draw(st.lists(st.sampled_from(KEYS), max_size=4)):
        if isinstance(stats[key], dict):
            stats[key] = {**stats[key], **{k: data.draw(JSON) for k in stats[key]}}
    read = facts_from_stats(stats)
    run = recorded(WALK, read) if framed else RunData("run", facts=read)
    known = find_figures(run)
    assert len(build_cards(known, 0)) == 7 + (known.appearance is not None)
    for told in (
        describe_run(run),
        rows_of(run),
        rows_of(run, changed=True),
        build_stage_rows(run),
        list_versions(run),
        list_missing(run),
        draw_charts(run, known.source_fps or 0.0),
        find_differences([run, RunData("other")]),
        build_table([run, run], [known, known]),
    ):
        assert isinstance(told, list)
    assert find_video(run, [Path("nowhere")]) is None


HOLES = ("budget_ms", "embed_ms", "critical_ms", "predicted_ms")


@pytest.mark.parametrize(
    "hole", [*HOLES, "latency_ms", "score", "xyxy", "similarity", "resembles", "stage"]
)
def test_numbers_that_were_none_make_a_page(tmp_path, hole):
    lines = []
    for index in range(12):
        one = track(1 if index < 6 else 2, (10, 10, 50, 110), fresh=True)
        told = {"id": one["id"], "similarity": 0.9, "resembles": [[1, 0.9]]}
        if hole in ("score",):
            one["score"] = None
        if hole == "xyxy":
            one["xyxy"] = [None, 10.0, None, 110.0]
        if hole == "similarity":
            told["similarity"] = None
        if hole == "resembles":
            told["resembles"] = [[1, None]]
        embed = {hole: None} if hole in HOLES else {}
        more = {"latency_ms": None} if hole == "latency_ms" else {}
        more |= {"stage_ms": {"detect": None, "embed": 1.0}} if hole == "stage" else {}
        lines.append(line(index, (one,), looks=[told], embed=embed, **more))
    run = load_run(find_runs([write_journal(tmp_path / "a.jsonl", lines)])[0])
    find_suspects(list(run.tracks.values()), run.frames["time_s"])
    assert len(build_identities(run, {})) == 2
    page = run_page(run, {}, None, Path("report.html"))
    assert ">nan" not in page.lower()
    json.dumps([chart.as_dict() for chart in draw_charts(run, 25.0)], allow_nan=False)
