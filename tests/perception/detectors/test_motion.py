"""Motion before a fixed camera: painted scenes with known boxes, and real clips."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from helpers.places import ASSETS
from mot_dinov3.config import DetectorConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.perception.detectors.factory import create_detector
from mot_dinov3.values import Frame
from mot_dinov3.values.boxes import iou_matrix

WIDTH, HEIGHT = 768, 432
BACKGROUND_S = 1.0


def scene(seed=0):
    """A textured room, and a function that paints boxes into a noisy copy of it."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(90, 150, (HEIGHT // 24, WIDTH // 24, 3), np.uint8)
    room = np.kron(coarse, np.ones((24, 24, 1), np.uint8))
    noises = itertools.cycle(rng.normal(0, 2, (5, HEIGHT, WIDTH, 3)).astype(np.float32))

    def picture(*boxes, light=1.0):
        image = room.copy()
        for left, top, right, bottom in boxes:
            image[top:bottom, left:right] = (30, 40, 200)
            image[top + 20 : bottom - 20 : 16, left + 8 : right - 8] = (230, 230, 230)
        return (image * np.float32(light) + next(noises)).clip(0, 255).astype(np.uint8)

    return picture


def watch(pictures, fps=20, **settings):
    """The detections of each picture."""
    detector = create_detector(DetectorConfig(det="motion", **settings), "cpu")
    return [detector.detect(Frame(i, i / fps, image)) for i, image in enumerate(pictures)]


def walk(step, fps=20):
    left = 40 + int(step * 160 / fps)
    return left, 120, left + 70, 320


def iou_of(found, box):
    return float(iou_matrix(found.xyxy, np.array([box], np.float32)).max(initial=0))


@pytest.mark.parametrize("fps", [5, 20, 50])
def test_one_walker_is_one_box_at_any_frame_rate(fps):
    picture = scene()
    empty = [picture() for _ in range(int(BACKGROUND_S * fps) + 1)]
    steps = [walk(step, fps) for step in range(2 * fps)]
    found = watch([*empty, *(picture(box) for box in steps)], fps)
    assert all(len(one) == 0 for one in found[: len(empty)])
    walking = found[len(empty) :]
    assert all(len(one) == 1 for one in walking)
    assert min(iou_of(one, box) for one, box in zip(walking, steps, strict=True)) > 0.8
    assert walking[0].score[0] > 0.5
    assert walking[0].class_id.tolist() == [0]


def test_two_walkers_apart_are_two_boxes():
    picture = scene()
    empty, pair = [picture() for _ in range(25)], [(60, 100, 130, 300), (500, 120, 570, 320)]
    found = watch([*empty, *(picture(*pair) for _ in range(5))])[-1]
    assert len(found) == 2
    assert all(iou_of(found, box) > 0.8 for box in pair)


def test_nothing_is_said_before_the_background_is_known():
    picture = scene()
    assert not any(len(one) for one in watch([picture(walk(step)) for step in range(10)]))


def test_who_stands_still_is_kept_for_long():
    picture = scene()
    still = [picture((300, 120, 370, 320)) for _ in range(200)]
    found = watch([*(picture() for _ in range(10)), *still], fps=5)
    assert all(len(one) == 1 for one in found[10:])


def test_the_hole_of_what_left_is_no_object():
    picture = scene()
    parked, empty = [picture((300, 120, 370, 320)) for _ in range(25)], [picture()] * 20
    assert not any(len(one) for one in watch([*parked, *empty])[25:])


@pytest.mark.parametrize("light", [0.7, 1.3])
def test_a_change_of_light_moves_nothing_and_hides_nobody(light):
    picture = scene()
    box = (300, 120, 370, 320)
    empty = [picture() for _ in range(25)]
    dim = [picture(light=1 + (light - 1) * step / 10) for step in range(11)]
    found = watch([*empty, *dim, *(picture(box, light=light) for _ in range(3))])
    assert not any(len(one) for one in found[:-3])
    assert [len(one) for one in found[-3:]] == [1, 1, 1]
    assert iou_of(found[-1], box) > 0.8


def test_a_picture_that_changes_whole_gives_nothing_and_is_learned_if_it_stays():
    here, there = scene(0), scene(1)
    before, after = [here() for _ in range(25)], [there() for _ in range(40)]
    found = watch([*before, *after, there((300, 120, 370, 320))])
    assert not any(len(one) for one in found[:-1])
    assert len(found[-1]) == 1


def test_a_flash_is_not_learned():
    picture = scene()
    white = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    found = watch([*(picture() for _ in range(25)), white, white, picture(), picture(walk(0))])
    assert [len(one) for one in found[-4:]] == [0, 0, 0, 1]


def test_specks_are_left_out():
    picture = scene()
    found = watch([*(picture() for _ in range(25)), picture((300, 200, 306, 206))])
    assert len(found[-1]) == 0


def test_the_floor_is_kept():
    picture = scene()
    pictures = [*(picture() for _ in range(25)), picture((300, 200, 318, 226))]
    (score,) = watch(pictures, conf=0.1)[-1].score
    assert 0.1 < score < 0.95
    floor = float(score) + 0.01
    assert len(watch(pictures, conf=floor, low_conf=floor)[-1]) == 0


def test_sizes_may_change_and_be_small():
    picture = scene()
    pictures = [picture() for _ in range(20)] + [picture()[:50, :70].copy() for _ in range(3)]
    assert not any(len(one) for one in watch(pictures))


def test_only_moving_can_be_chosen():
    watch([], classes="moving")
    with pytest.raises(UsageError, match="no class 'person'"):
        watch([], classes="person")


@pytest.mark.slow
@pytest.mark.skipif(not ASSETS.is_dir(), reason="the shared test assets are not here")
def test_one_person_at_a_time_gives_one_box_and_none_in_the_gaps():
    import av

    detector = create_detector(DetectorConfig(det="motion"), "cpu")
    counts = {}
    path = ASSETS / "videos/one-by-one-person-detection.mp4"
    with av.open(str(path)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            found = detector.detect(Frame(index, index / 10, frame.to_ndarray(format="bgr24")))
            counts[index] = int((found.score >= 0.3).sum())
            if index >= 640:
                break
    gaps, standing = [*range(10, 55), *range(455, 490)], [*range(90, 190), *range(245, 430)]
    assert sum(counts[index] for index in gaps) <= 2
    assert np.mean([counts[index] == 1 for index in standing]) > 0.98
