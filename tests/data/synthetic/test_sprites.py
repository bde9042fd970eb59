from __future__ import annotations

import itertools
from dataclasses import replace

import cv2
import numpy as np
import pytest

from mot_dinov3.data.synthetic.looks import SHAPES, cast_people, cast_vehicles
from mot_dinov3.data.synthetic.paint import (
    PATTERNS,
    SOLID,
    Cloth,
    Sprite,
    SpriteCanvas,
    weave,
)
from mot_dinov3.data.synthetic.people import PHASES, STANDING, draw_person
from mot_dinov3.data.synthetic.scenery import OCCLUDERS, paint_street, place_occluders
from mot_dinov3.data.synthetic.vehicles import WHEEL_PHASES, draw_vehicle

PERSON = cast_people(np.random.default_rng(8), 1)[0]
VEHICLE = cast_vehicles(np.random.default_rng(8), 1)[0]


def silhouette(sprite):
    return sprite.pixels[..., 3] > SOLID


@pytest.mark.parametrize("view", ["side", "front", "back"])
@pytest.mark.parametrize("phase", [STANDING, 0, 3, 8])
def test_a_person_stands_on_the_ground_and_is_one_unit_tall(view, phase):
    sprite = draw_person(replace(PERSON, hat="none", hair_style="short"), view, phase)
    rows = np.flatnonzero(silhouette(sprite).any(axis=1))
    assert (rows[-1] - sprite.origin_px[1]) / sprite.unit_px == pytest.approx(0.0, abs=0.04)
    assert (rows[-1] - rows[0]) / sprite.unit_px == pytest.approx(1.0, abs=0.09)


def test_people_move_their_legs_and_come_round_again():
    steps = [draw_person(PERSON, "side", phase).pixels for phase in range(PHASES)]
    for before, after in itertools.pairwise(steps):
        assert (before != after).any()
    assert (draw_person(PERSON, "side", PHASES).pixels != steps[0]).mean() < 1e-3


@pytest.mark.parametrize("shape", SHAPES)
def test_a_vehicle_has_its_length_and_turns_its_wheels(shape):
    look = replace(VEHICLE, shape=shape, length_m=4.0, height_m=1.6, roof="none")
    sprites = [draw_vehicle(look, phase) for phase in range(WHEEL_PHASES)]
    columns = np.flatnonzero(silhouette(sprites[0]).any(axis=0))
    assert (columns[-1] - columns[0]) / sprites[0].unit_px == pytest.approx(4.0, abs=0.25)
    assert (sprites[0].pixels != sprites[1].pixels).any()
    assert silhouette(sprites[0]).sum() == pytest.approx(silhouette(sprites[1]).sum(), rel=0.01)


def test_a_cast_is_told_apart_by_its_clothes():
    people = cast_people(np.random.default_rng(1), 14)
    tops = np.array([look.top.colour for look in people], int)
    gap = np.abs(tops[:, None] - tops[None, :]).sum(-1) + 999 * np.eye(14, dtype=int)
    assert gap.min() > 25
    assert len({look.top.pattern for look in people}) >= 4
    assert len({look.shape for look in cast_vehicles(np.random.default_rng(1), 5)}) == 4


@pytest.mark.parametrize("pattern", [p for p in PATTERNS if p != "plain"])
def test_every_pattern_shows_both_colours(pattern):
    picture = weave(Cloth((10, 20, 30), (200, 210, 220), pattern), 40, 60)
    share = (picture[..., 0] == 200).mean()
    assert picture.shape == (60, 40, 3)
    assert 0.1 < share < 0.65


def test_a_shadow_is_on_the_ground_but_not_in_the_silhouette():
    canvas = SpriteCanvas((4, 4), (2, 3), 20)
    canvas.polygon([(-0.5, 0), (-0.5, -2), (0.5, -2), (0.5, 0)], (50, 60, 70))
    before = canvas.pixels.copy()
    canvas.shadow((0, 0), (1.5, 0.3))
    after = canvas.pixels
    assert ((after[..., 3] > 0) & (before[..., 3] == 0)).sum() > 100
    np.testing.assert_array_equal(after[..., 3] > SOLID, before[..., 3] > SOLID)


def test_colours_never_exceed_their_alpha():
    for sprite in (draw_person(PERSON, "side", 2), draw_vehicle(VEHICLE, 0)):
        assert (sprite.pixels[..., :3] <= sprite.pixels[..., 3:]).all()


def test_half_the_resolution_is_the_same_thing():
    sprite = draw_person(PERSON, "front", 0)
    small = sprite.at(30.0)
    assert 30.0 <= small.unit_px < 60.0
    ratio = small.unit_px / sprite.unit_px
    assert silhouette(small).sum() == pytest.approx(silhouette(sprite).sum() * ratio**2, rel=0.05)
    assert sprite.at(1000.0) is sprite


def test_mirrored_faces_the_other_way_on_the_same_foot():
    canvas = SpriteCanvas((3, 2), (1, 1.5), 10)
    canvas.polygon([(0, 0), (0, -1), (1.5, -1), (1.5, 0)], (9, 9, 9))
    sprite = Sprite.of(canvas)
    other = sprite.mirror()
    x = cv2.boundingRect(silhouette(other).astype(np.uint8))[0]
    assert x + 15 == pytest.approx(other.origin_px[0], abs=1.5)
    np.testing.assert_array_equal(other.mirror().pixels, sprite.pixels)


def test_a_street_is_textured_and_its_occluders_are_spread_out():
    street = paint_street(np.random.default_rng(2), 400, 180)
    assert street.shape == (180, 400, 3)
    patches = street[140:175, :].astype(float).reshape(35, 40, 10, 3).std(axis=(0, 2, 3))
    assert patches.min() > 3
    things = place_occluders(np.random.default_rng(2), 5, (0.0, 2.0))
    places = sorted(thing.x for thing in things)
    assert len(things) == len(OCCLUDERS)
    assert np.diff(places).min() > 0.15
    assert places[0] > 0
    assert places[-1] < 2
