"""Examples from sequences: the right object, near in time, and sometimes another."""

from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.data.single_object.base import SingleObjectSequence
from mot_dinov3.training.recipes.sot.examples import Sizes
from mot_dinov3.training.recipes.sot.pairs import PairRules, Part, SequencePairs

SIZES = Sizes(search_px=64, template_px=32, templates=2)
RED, BLUE = (0, 0, 220), (220, 0, 0)


def draw_part(colour, footage, frames=30):
    """A square of one colour that goes right before a grey wall."""
    pictures, boxes = [], []
    for n in range(frames):
        image = np.full((120, 160, 3), 110, np.uint8)
        image[40:60, 20 + n : 40 + n] = colour
        pictures.append(image)
        boxes.append([20 + n, 40, 40 + n, 60])
    boxes = np.array(boxes, np.float32)
    boxes[5] = np.nan
    sequence = SingleObjectSequence("square", tuple(pictures), boxes)
    return Part(sequence, sequence.known.nonzero()[0], footage)


def read_colour(image, box):
    left, top, right, bottom = np.rint(box * len(image)).astype(int)
    inside = image[top + 1 : bottom - 1, left + 1 : right - 1].reshape(-1, 3).mean(axis=0)
    return inside[0] - inside[2]  # blue or red


def test_boxes_are_round_the_object():
    pairs = SequencePairs([draw_part(RED, 0)], SIZES, PairRules(5, 0.5))
    places = []
    for seed in range(30):
        one = pairs.draw(np.random.default_rng(seed))
        for image, mark in zip(one.templates, one.marks, strict=True):
            assert image.shape == (32, 32, 3)
            assert read_colour(image, mark) < -40 or np.ptp(image.astype(int), axis=2).max() == 0
        if (one.box > 0).all() and (one.box < 1).all():
            assert read_colour(one.search, one.box) <= 0
        places.append((one.box[:2] + one.box[2:]) / 2)
    assert np.std(places) > 0.1  # not always in the middle
    assert np.mean(places) == pytest.approx(0.5, abs=0.12)


def test_absent_objects_are_of_another_video():
    parts = [draw_part(RED, 0), draw_part(BLUE, 1)]
    pairs = SequencePairs(parts, SIZES, PairRules(5, 0.5))
    absent = [np.isnan(pairs.draw(np.random.default_rng(n)).box).all() for n in range(60)]
    assert 0.3 < np.mean(absent) < 0.7
    same = [Part(part.sequence, part.rows, 7) for part in parts]
    pairs = SequencePairs(same, SIZES, PairRules(5, 0.99))
    assert all(np.isfinite(pairs.draw(np.random.default_rng(n)).box).all() for n in range(20))


def test_templates_are_near_in_time():
    part = draw_part(RED, 0)
    pairs = SequencePairs([part], SIZES, PairRules(3, 0.0))
    for seed in range(30):
        looks = pairs._choose_looks(np.random.default_rng(seed), part, 8)
        assert len(looks) == 2
        assert {abs(row - 8) for row in looks} <= {0, 1, 2, 3}
        assert 5 not in looks
