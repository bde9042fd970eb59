"""Drawn scenes: all things lie alike, and the box is where the thing is."""

from __future__ import annotations

import numpy as np

from mot_dinov3.training.recipes.sot.examples import Sizes, stack_examples
from mot_dinov3.training.recipes.sot.scenes import (
    RADIUS,
    WOBBLE,
    DrawnScenes,
    create_things,
    draw_things,
)

SIZES = Sizes(search_px=128, template_px=64, templates=2)


def test_the_place_says_nothing():
    scenes = DrawnScenes(SIZES)
    batch = stack_examples([scenes.draw(np.random.default_rng(n)) for n in range(40)])
    assert batch.templates.shape == (40, 2, 64, 64, 3)
    assert batch.search.shape == (40, 128, 128, 3)
    centres = (batch.boxes[:, :2] + batch.boxes[:, 2:]).numpy() / 2 - 0.5
    away = np.linalg.norm(centres, axis=1)
    slack = 1.5 * WOBBLE + 1 / 128
    assert away.min() > RADIUS[0] - slack
    assert away.max() < RADIUS[1] + slack
    assert np.abs(centres.mean(axis=0)).max() < 0.12
    sides = (batch.marks[..., 2:] - batch.marks[..., :2]).numpy()
    assert 0.3 < sides.min() < sides.max() < 0.9


def test_equal_numbers_draw_equal_scenes():
    one, two = (DrawnScenes(SIZES).draw(np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(one.search, two.search)
    assert np.array_equal(one.box, two.box)


def test_a_box_holds_the_thing_and_no_more():
    rng = np.random.default_rng(0)
    things = create_things(rng, np.array([30, 30], np.float32))
    assert len({thing.texture.tobytes() for thing in things}) == len(things)
    assert len({thing.mask.tobytes() for thing in things}) == 1
    with_thing, boxes = draw_things(
        np.random.default_rng(1), 100, things[:1], [np.array([0.5, 0.5])], 1.0
    )
    wall, _ = draw_things(np.random.default_rng(1), 100, things[:1], [np.array([5.0, 5.0])], 1.0)
    changed = (np.abs(with_thing.astype(int) - wall).sum(axis=2) > 8).nonzero()
    found = np.array([changed[1].min(), changed[0].min(), changed[1].max(), changed[0].max()])
    assert np.abs(found - boxes[0] * 100).max() <= 3
