"""Which boxes count: the rule that fits a ground truth, and what it leaves out."""

from __future__ import annotations

import pytest

from helpers.mot_tables import table, walkers
from mot_dinov3.evaluation.preprocessing import ScoredSequence, choose_rule, preprocess

FRAMES = 6
ROWS = walkers(FRAMES, (1, 2, 3))
RESULT = table(ROWS)


def kept(truth, rule="none", result=RESULT, **options):
    """How many boxes of the ground truth are asked for, and of the result are judged."""
    pytest.importorskip("trackeval", reason="the extra [eval] is not installed")
    data = preprocess([ScoredSequence("a", truth, result, FRAMES, rule, **options)])["a"]
    return data["num_gt_dets"], data["num_tracker_dets"]


@pytest.mark.parametrize(
    ("class_id", "score", "name", "rule"),
    [
        ([1, 1, 7] * FRAMES, [1, 1, 0] * FRAMES, "MOT17-02", "mot17"),
        ([1, 1, 6] * FRAMES, [1, 1, 0] * FRAMES, "MOT20-01", "mot20"),
        ([1, 1, 3] * FRAMES, [1, 1, 1] * FRAMES, "cars that count", "none"),
        ([1, 1, 99] * FRAMES, [1, 1, 0] * FRAMES, "other classes", "none"),
        ([1, 1, -1] * FRAMES, [1, 1, 0] * FRAMES, "no class", "none"),
        (1, 1, "dancetrack0001", "none"),
        (-1, 1, "TUD-Campus", "none"),
    ],
)
def test_the_rule_is_seen_by_classes_and_marks(class_id, score, name, rule):
    assert choose_rule(name, table(ROWS, class_id=class_id, score=score)) == rule


def test_without_a_rule_every_box_counts_that_is_not_marked():
    assert kept(table(ROWS, class_id=[1, 3, 7] * FRAMES)) == (18, 18)
    assert kept(table(ROWS, score=[1, 0, 1] * FRAMES)) == (12, 18)


def test_pedestrians_count_and_boxes_on_distractors_are_left_out():
    truth = table(ROWS, class_id=[1, 8, 3] * FRAMES, score=[1, 0, 0] * FRAMES)
    assert kept(truth, "mot17") == (6, 12)


@pytest.mark.parametrize(("rule", "judged"), [("mot17", 18), ("mot20", 12)])
def test_vehicles_are_distractors_in_mot20_only(rule, judged):
    truth = table(ROWS, class_id=[1, 1, 6] * FRAMES, score=[1, 1, 0] * FRAMES)
    assert kept(truth, rule) == (12, judged)


def test_who_is_hidden_is_neither_asked_for_nor_held_against():
    truth = table(ROWS, visibility=[1, 0.2, 0.3] * FRAMES, class_id=[1, 3, 3] * FRAMES)
    assert kept(truth, min_visibility=0.3) == (12, 12)
    assert kept(truth) == (18, 18)


def test_boxes_count_to_the_hundredth_of_a_pixel_as_in_a_file():
    thirds = table([(0, 1, 100 / 3, 1000 / 3)])
    pytest.importorskip("trackeval", reason="the extra [eval] is not installed")
    (box,) = preprocess([ScoredSequence("a", thirds, thirds, 1)])["a"]["tracker_dets"][0].tolist()
    assert box == [33.33, 333.33, 50.0, 100.0]


def test_boxes_after_the_end_are_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="after its 3 frames"):
        ScoredSequence("a", RESULT, RESULT, 3)
