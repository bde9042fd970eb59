"""Every kind of error occurs at its rate, goes on as its course says, and is drawn by the seed."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from scipy.special import ndtr

from mot_dinov3.data.synthetic.noise.background import Picture
from mot_dinov3.data.synthetic.noise.base import (
    LEVELS,
    Background,
    BoxErrors,
    Course,
    DetectorNoise,
    Extras,
    Misses,
)
from mot_dinov3.data.synthetic.noise.drawing import (
    BACKGROUND,
    DUPLICATE,
    FOUND,
    PARTIAL,
    DrawnBoxes,
    draw_boxes,
)
from mot_dinov3.data.synthetic.noise.factory import NOISES, load_noise
from mot_dinov3.data.synthetic.noise.placing import find_most_iou, measure_crowding
from mot_dinov3.errors import UnknownNameError
from mot_dinov3.io.formats.mot import MotTable
from mot_dinov3.values.boxes import iou_matrix, xyxy_to_cxcywh

FRAMES, PEOPLE = 400, 24
PICTURE = Picture(1920, 1080, 25.0, FRAMES)
HEIGHT = 0.15 * 1080
SPREAD = (-0.2, -0.1, -0.04, 0.0, 0.05, 0.12, 0.25)


def walkers(visibility=1.0, height=HEIGHT):
    """People who walk side by side in a grid and never touch."""
    frame, person = np.divmod(np.arange(FRAMES * PEOPLE), PEOPLE)
    left = 60 + 220 * (person % 8) + 0.1 * frame
    top = 100 + 330 * (person // 8)
    xyxy = np.stack([left, top, left + height * 0.4, top + height], axis=1).astype(np.float32)
    n = len(frame)
    seen = np.broadcast_to(np.float32(visibility), n).copy()
    return MotTable(frame, person + 1, xyxy, np.ones(n, np.float32), np.ones(n, np.int64), seen)


TRUTH = walkers()


def draw(truth=TRUTH, seed=0, **errors):
    return draw_boxes(truth, PICTURE, DetectorNoise(**errors), seed)


def found_of(boxes, truth=TRUTH):
    """(N,) whether each object has a box; boxes must lie where objects are."""
    key = boxes.frame_index * 10_000 + boxes.xyxy[:, 0].round().astype(int)
    key = key * 2_000 + boxes.xyxy[:, 1].round().astype(int)
    own = truth.frame_index * 10_000 + truth.xyxy[:, 0].round().astype(int)
    return np.isin(own * 2_000 + truth.xyxy[:, 1].round().astype(int), key)


def test_a_detector_without_errors_gives_the_truth_back():
    boxes = draw()
    assert (boxes.xyxy == TRUTH.xyxy).all()
    assert (boxes.frame_index == TRUTH.frame_index).all()
    assert (boxes.class_id == TRUTH.class_id).all()
    assert (boxes.score == 1).all()
    assert (boxes.kind == FOUND).all()


def test_a_clip_without_objects_has_no_boxes():
    nothing = MotTable(**{f.name: getattr(TRUTH, f.name)[:0] for f in fields(MotTable)})
    assert len(draw_boxes(nothing, PICTURE, load_noise("yolov8n"), 0)) == 0


@pytest.mark.parametrize("name", list(NOISES))
def test_a_seed_draws_the_same_boxes_again_and_another_one_others(name):
    first, again, other = (draw_boxes(TRUTH, PICTURE, load_noise(name), k) for k in (3, 3, 4))
    for item in fields(DrawnBoxes):
        assert (getattr(first, item.name) == getattr(again, item.name)).all()
    assert not (len(first) == len(other) and (first.xyxy == other.xyxy).all())
    assert (np.diff(first.frame_index) >= 0).all()
    assert first.xyxy.min() >= 0
    assert (first.xyxy[:, 2:] <= [1920, 1080]).all()
    assert ((first.score >= 0) & (first.score <= 1)).all()


def test_an_unknown_detector_is_refused():
    with pytest.raises(UnknownNameError, match="acf"):
        load_noise("acv")


@pytest.mark.parametrize("base", [-0.5, 0.8])
def test_as_many_are_found_as_the_base_says(base):
    share = found_of(draw(misses=Misses(base))).mean()
    assert share == pytest.approx(ndtr(base), abs=0.02)


def test_the_small_and_the_hidden_are_found_less():
    misses = Misses(0.5, size=1.0, hidden=2.0, least_visible=0.1)
    small = found_of(draw(walkers(height=HEIGHT / 2), misses=misses), walkers(height=HEIGHT / 2))
    assert small.mean() == pytest.approx(ndtr(0.5 - np.log(2)), abs=0.02)
    assert found_of(draw(walkers(0.5), misses=misses)).mean() == pytest.approx(ndtr(-0.5), abs=0.02)
    assert len(draw(walkers(0.05), misses=Misses(least_visible=0.1))) == 0


def repeated(course, lag):
    """How often who is missed is missed again `lag` frames later, half being missed."""
    missed = ~found_of(draw(misses=Misses(0.0, course=course))).reshape(FRAMES, PEOPLE)
    return missed[lag:][missed[:-lag]].mean()


def test_misses_come_in_runs_that_end():
    assert repeated(Course(), 1) == pytest.approx(0.5, abs=0.03), "each for itself"
    slow = Course(slow=0.9, seconds=0.4)
    # two halves of normal values with correlation r: 1/2 + arcsin(r)/pi
    for lag in (1, 10):
        correlation = 0.9 * np.exp(-lag / 25 / 0.4)
        want = 0.5 + np.arcsin(correlation) / np.pi
        assert repeated(slow, lag) == pytest.approx(want, abs=0.04)
    assert repeated(slow, 100) == pytest.approx(0.5, abs=0.06)
    assert repeated(Course(constant=0.9), 300) > 0.7, "some are always hard to see"


def test_boxes_are_off_by_the_given_quantiles_and_correlations():
    links = (0.0, 0.0, 0.0, 0.5, 0.0, -0.6)
    boxes = draw(errors=BoxErrors(SPREAD, SPREAD, SPREAD, SPREAD, links))
    box, thing = (xyxy_to_cxcywh(b).astype(float) for b in (boxes.xyxy, TRUTH.xyxy))
    off = np.concatenate([(box - thing)[:, :2] / thing[:, 2:], np.log(box / thing)[:, 2:]], axis=1)
    for column in range(4):
        assert np.quantile(off[:, column], LEVELS) == pytest.approx(SPREAD, abs=0.012)
    correlation = np.corrcoef(off.T)
    assert correlation[1, 2] == pytest.approx(0.5, abs=0.06)
    assert correlation[2, 3] == pytest.approx(-0.6, abs=0.06)
    assert abs(correlation[0, 1]) < 0.05


def test_the_box_of_a_found_object_is_always_on_it():
    wide = tuple(4 * off for off in SPREAD)
    boxes = draw(errors=BoxErrors(wide, wide, wide, wide))
    on = find_most_iou(boxes.xyxy, boxes.frame_index, TRUTH.xyxy, TRUTH.frame_index)
    assert on.min() >= 0.5
    assert (boxes.xyxy != TRUTH.xyxy).any(axis=1).mean() > 0.7


def test_boxes_of_hidden_objects_are_off_by_more():
    errors = BoxErrors(x=SPREAD, hidden=1.0)

    def spread(visibility):
        boxes = draw(walkers(visibility), errors=errors)
        return (boxes.xyxy - TRUTH.xyxy)[:, 0].std()

    assert spread(0.5) == pytest.approx(1.5 * spread(1.0), rel=0.1)


def test_confidence_has_its_quantiles_and_goes_with_the_strength():
    score = (0.1, 0.3, 0.5, 0.6, 0.7, 0.9, 0.99)
    visibility = np.tile(np.linspace(0.2, 1, PEOPLE), FRAMES)
    truth = walkers(visibility)
    misses = Misses(3.0, hidden=3.0)
    loose = draw(truth, score=score)
    assert np.quantile(loose.score, LEVELS) == pytest.approx(score, abs=0.02)
    assert abs(np.corrcoef(loose.score, visibility)[0, 1]) < 0.05
    tied = draw(truth, misses=misses, score=score, score_link=0.9)
    seen = visibility[found_of(tied, truth)]
    assert np.corrcoef(tied.score, seen)[0, 1] > 0.3


def count(boxes, kind):
    return int((boxes.kind == kind).sum())


def test_duplicates_lie_on_their_object_but_not_on_its_box():
    extras = Extras(-0.5, errors=BoxErrors(SPREAD, SPREAD, SPREAD, SPREAD))
    boxes = draw(duplicates=extras, most_iou=0.9)
    assert count(boxes, DUPLICATE) / len(TRUTH) == pytest.approx(ndtr(-0.5), abs=0.02)
    own = boxes[boxes.kind == DUPLICATE]
    on = find_most_iou(own.xyxy, own.frame_index, TRUTH.xyxy, TRUTH.frame_index)
    assert on.min() >= 0.5
    assert on.max() <= 0.9
    assert count(draw(duplicates=extras, most_iou=0.2), DUPLICATE) == 0


def test_partials_overlap_an_object_by_less_than_a_half():
    wide = tuple(4 * off for off in SPREAD)
    extras = Extras(-1.0, found=-0.5, errors=BoxErrors(wide, wide), score=(0.3,) * 7)
    boxes = draw(misses=Misses(0.0), partials=extras, most_iou=0.7)
    own = boxes[boxes.kind == PARTIAL]
    on = find_most_iou(own.xyxy, own.frame_index, TRUTH.xyxy, TRUTH.frame_index)
    assert 0.15 <= on.min() <= on.max() < 0.5
    assert (own.score == np.float32(0.3)).all()
    want = (ndtr(-1.0) + ndtr(-1.5)) / 2  # half of the objects are found
    assert len(own) / len(TRUTH) == pytest.approx(want, abs=0.02)


def test_more_extras_where_objects_cover_each_other():
    pair = np.array([[0, 0, 40, 100], [20, 0, 60, 100], [500, 0, 540, 100]], np.float32)
    crowd = measure_crowding(pair, np.zeros(3, np.int64))
    assert crowd == pytest.approx([0.5, 0.5, 0])
    close = walkers()
    close.xyxy[close.track_id % 2 == 0] -= np.float32([200, 0, 200, 0])
    extras = Extras(-1.5, crowd=2.0, errors=BoxErrors(SPREAD))
    together, apart = (draw(truth, duplicates=extras) for truth in (close, TRUTH))
    assert count(together, DUPLICATE) > 2 * count(apart, DUPLICATE)


def test_duplicates_go_on_as_their_course_says():
    extras = Extras(-1.0, course=Course(slow=0.9, seconds=1.0), errors=BoxErrors(SPREAD))
    boxes = draw(duplicates=extras)
    own = boxes[boxes.kind == DUPLICATE]
    lane = np.round((own.xyxy[:, 0] - 60) / 220) + 8 * np.round((own.xyxy[:, 1] - 100) / 330)
    key = own.frame_index * 100 + lane.astype(int)
    assert np.isin(key + 100, key).mean() > 0.6 > 2 * ndtr(-1.0)


GROUND = Background(
    births_per_s=2.0, life_s=(1.0, 1.0, 2.0, 2.0, 2.0, 3.0, 3.0), seen=0.5,
    height=(0.0,) * 7, aspect=(0.4,) * 7, score=(0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8), own_score=0.9,
)  # fmt: skip


def test_the_background_has_its_rate_and_keeps_off_objects():
    own = [
        one[one.kind == BACKGROUND] for k in range(6) for one in [draw(seed=k, background=GROUND)]
    ]
    each = sum(map(len, own)) / (6 * FRAMES)
    covered = 0.15  # some places fall on people, and are left out
    assert 2.0 * 2.0 * 0.5 * (1 - 2 * covered) < each < 2.0 * 2.1 * 0.5
    for boxes in own:
        on = find_most_iou(boxes.xyxy, boxes.frame_index, TRUTH.xyxy, TRUTH.frame_index)
        assert on.max() < 0.15


def test_a_place_of_the_background_stays_for_its_life_and_keeps_its_confidence():
    few = replace(GROUND, births_per_s=0.3, seen=1.0)
    boxes = draw(seed=5, background=few)
    own = boxes[boxes.kind == BACKGROUND]
    same = iou_matrix(own.xyxy, own.xyxy) > 0.9
    lives = same.sum(axis=1) / PICTURE.fps
    inside = (own.frame_index > 3 * 25) & (own.frame_index < FRAMES - 3 * 25)
    assert lives[inside].min() > 0.9
    assert lives.max() < 3.3
    spread = [own.score[row].std() for row in same]
    assert np.mean(spread) < 0.7 * own.score.std()


def test_places_beside_ways_are_where_somebody_is_at_another_time():
    plain = replace(GROUND, births_per_s=8.0)
    near = [
        draw_boxes(walk_and_leave(), PICTURE, DetectorNoise(background=b), 1)
        for b in (plain, replace(plain, on_path=1.0))
    ]
    share = [
        (iou_matrix(b.xyxy[b.kind == BACKGROUND], walk_and_leave().xyxy).max(axis=1) > 0.3).mean()
        for b in near
    ]
    assert share[1] > 2 * share[0]


def walk_and_leave():
    """One person who crosses the picture in the first half of the clip."""
    frame = np.arange(FRAMES // 2)
    left = 8.0 * frame
    xyxy = np.stack([left, 0 * left + 500, left + 65, 0 * left + 662], axis=1).astype(np.float32)
    ones = np.ones(len(frame), np.float32)
    return MotTable(frame, frame * 0 + 1, xyxy, ones, frame * 0 + 1, ones)
