from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from helpers.hand_made import write_all
from mot_dinov3.errors import UnknownNameError
from mot_dinov3.evaluation.cases import Request, load
from mot_dinov3.evaluation.figures import measure
from mot_dinov3.evaluation.preprocessing import ScoredSequence, preprocess
from mot_dinov3.io.formats.mot import MotTable

pytest.importorskip("trackeval", reason="the extra [eval] is not installed")

from mot_dinov3.evaluation.scores import evaluate, score

FRAMES = 20


def table(ids, dx=0.0, visibility=1.0):
    """Two people walking side by side; `ids(frame)` names them."""
    rows = [(f, i, k) for f in range(FRAMES) for k, i in enumerate(ids(f))]
    frame, track, lane = (np.array(column) for column in zip(*rows, strict=True))
    left = 10.0 * frame + dx
    top = 200.0 * lane
    xyxy = np.stack((left, top, left + 50, top + 100), axis=1).astype(np.float32)
    n = len(rows)
    seen = np.where(lane == 1, visibility, 1.0).astype(np.float32)
    return MotTable(frame, track, xyxy, np.ones(n, np.float32), np.full(n, -1), seen)


TRUTH = table(lambda frame: (1, 2))


def test_the_truth_itself_is_perfect():
    scores = score(TRUTH, TRUTH, FRAMES)
    assert (scores.hota, scores.mota, scores.idf1, scores.idsw) == (100, 100, 100, 0)


def test_a_swap_costs_identity_and_not_detection():
    swapped = table(lambda frame: (1, 2) if frame < 10 else (2, 1))
    scores = score(TRUTH, swapped, FRAMES)
    assert scores.deta == 100
    assert scores.idsw == 2
    assert scores.idf1 == 50


def test_nothing_found_scores_nothing():
    nobody = table(lambda frame: (1, 2), dx=5000)
    assert score(TRUTH, nobody, FRAMES).hota == 0


def test_who_cannot_be_seen_is_neither_asked_for_nor_held_against():
    hidden = table(lambda frame: (1, 2), visibility=0.1)
    only_one = table(lambda frame: (1,))
    for result in (only_one, TRUTH):
        assert score(hidden, result, FRAMES, min_visibility=0.3).mota == 100
    assert score(hidden, only_one, FRAMES).mota == 50


REFERENCE = json.loads((Path(__file__).parent / "hand_made.json").read_text())


@pytest.mark.parametrize("rule", REFERENCE)
def test_two_sequences_by_hand_have_the_figures_of_trackeval(tmp_path, rule):
    place = write_all(tmp_path)
    cases = load(Request(place / "truth", place / "result", rule)).cases
    found = evaluate(cases)
    scores = {**found.sequences, "COMBINED": found.combined}
    assert {name: asdict(one) for name, one in scores.items()} == REFERENCE[rule]


def test_the_figures_of_trackeval_are_those_counted_by_hand():
    crowd = REFERENCE["auto"]["crowd"]
    boxes, missed, false, switches = 40 + 40 + 25, 4 + 9, 20, 2
    assert crowd["mota"] == round(100 * (boxes - missed - false - switches) / boxes, 3)
    assert (crowd["idsw"], crowd["frag"]) == (2, 1)
    assert (crowd["mt"], crowd["pt"], crowd["ml"]) == (2, 1, 0)
    assert REFERENCE["none"]["crowd"]["mota"] == round(100 * (105 - 13 - 60 - 2) / 105, 3)


def test_the_combination_counts_frames_and_is_no_mean():
    short = ScoredSequence("short", TRUTH.cut(0, 1), TRUTH.cut(0, 1), 2)
    long = ScoredSequence("long", TRUTH, table(lambda frame: (1,)), FRAMES)
    found = evaluate([short, long])
    assert (found.sequences["short"].mota, found.sequences["long"].mota) == (100, 50)
    assert found.combined.mota == round(100 * (4 + 20) / 44, 3)
    assert (found.combined.mt, found.combined.ml) == (3, 1)


def test_a_family_alone_has_its_figures_only():
    data = preprocess([ScoredSequence("a", TRUTH, TRUTH, FRAMES)])
    single, combined = measure(data, ["identity"])
    assert single == {"a": {"idf1": 100}}
    assert combined == {"idf1": 100}
    with pytest.raises(UnknownNameError, match="hotta"):
        measure(data, ["hotta"])


def test_nobody_found_at_all_is_zero_and_everybody_lost():
    scores = score(TRUTH, TRUTH.cut(99, 99), FRAMES)
    assert (scores.hota, scores.mota, scores.idf1, scores.motp) == (0, 0, 0, 0)
    assert (scores.mt, scores.pt, scores.ml) == (0, 0, 2)
