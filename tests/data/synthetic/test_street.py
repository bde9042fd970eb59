from __future__ import annotations

import hashlib
import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mot_dinov3.data.synthetic.street import StreetConfig, StreetWorld
from mot_dinov3.data.synthetic.truth import CLASS_NAMES, PERSON, VEHICLE

SMALL = StreetConfig(seed=3, width=320, height=180, frames=100, people=8, vehicles=3)


def digest(frame, truth):
    arrays = (frame.image, truth.xyxy, truth.track_id, truth.class_id, truth.visibility)
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()


def all_digests(config, order):
    world = StreetWorld(config)
    return {index: digest(*world.frame(index)) for index in order}


def test_the_same_seed_gives_the_same_bytes_in_any_order():
    forwards = all_digests(SMALL, range(0, 100, 9))
    assert forwards == all_digests(SMALL, range(99, -1, -9))
    assert len(set(forwards.values())) == len(forwards)


def test_another_seed_gives_another_street():
    other = replace(SMALL, seed=4)
    assert digest(*StreetWorld(SMALL).frame(5)) != digest(*StreetWorld(other).frame(5))


def test_iterating_gives_every_frame_once_with_its_time():
    world = StreetWorld(replace(SMALL, frames=6))
    frames = [frame for frame, _ in world]
    assert len(world) == 6
    assert [frame.index for frame in frames] == list(range(6))
    assert [frame.time_s for frame in frames] == pytest.approx(np.arange(6) / 25)
    assert frames[0].image.shape == (180, 320, 3)
    assert frames[0].image.dtype == np.uint8


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    size=st.sampled_from([(128, 72), (321, 181), (90, 160)]),
    index=st.integers(0, 400),
    pan=st.floats(0, 0.4),
)
def test_truth_is_well_formed_in_any_street(seed, size, index, pan):
    config = StreetConfig(seed=seed, width=size[0], height=size[1], frames=100, pan=pan)
    frame, truth = StreetWorld(config).frame(index)
    x1, y1, x2, y2 = truth.xyxy.T
    assert (frame.width, frame.height) == size
    assert ((x1 >= 0) & (y1 >= 0) & (x2 <= size[0]) & (y2 <= size[1])).all()
    assert ((x1 < x2) & (y1 < y2)).all()
    assert len(set(truth.track_id.tolist())) == len(truth)
    assert set(truth.class_id.tolist()) <= set(CLASS_NAMES)
    assert ((truth.visibility >= 0) & (truth.visibility <= 1)).all()


def test_an_identity_keeps_its_class_and_there_are_as_many_as_asked_for():
    world = StreetWorld(SMALL)
    classes = {actor.track_id: actor.class_id for actor in world.actors}
    assert sorted(classes) == list(range(1, 12))
    assert list(classes.values()).count(PERSON) == 8
    assert list(classes.values()).count(VEHICLE) == 3
    for index in range(0, 100, 10):
        _, truth = world.frame(index)
        assert [classes[i] for i in truth.track_id.tolist()] == truth.class_id.tolist()


def test_people_leave_and_come_back_elsewhere_as_themselves():
    world = StreetWorld(StreetConfig(seed=1, width=192, height=108))
    seen: dict[int, list[tuple[int, float]]] = {}
    for index in range(0, 300, 5):
        _, truth = world.frame(index)
        for track_id, xyxy in zip(truth.track_id.tolist(), truth.xyxy, strict=True):
            seen.setdefault(track_id, []).append((index, float(xyxy[0])))
    returns = [
        abs(after[1] - before[1])
        for sightings in seen.values()
        for before, after in itertools.pairwise(sightings)
        if after[0] - before[0] >= 25
    ]
    assert len(returns) >= 5
    assert max(returns) > 96


def test_the_camera_turns_and_the_street_moves_the_other_way():
    still = StreetConfig(seed=5, width=320, height=180, people=0, vehicles=0, noise=0, light=0)
    world = StreetWorld(replace(still, occluders=0, pan=0.2))
    turned = world.pan_px(3.5)
    assert turned == 36
    before, _ = world.frame(0)
    after, truth = world.frame(round(3.5 * 25) + 1)
    shift = world.pan_px((round(3.5 * 25) + 1) / 25)
    np.testing.assert_array_equal(before.image[:, shift:], after.image[:, :-shift])
    assert len(truth) == 0


def test_a_vehicle_is_where_its_trip_and_the_camera_put_it():
    world = StreetWorld(replace(SMALL, pan=0.3, occluders=0))
    checked = 0
    for index in range(0, len(world), 2):
        _, truth = world.frame(index)
        for actor in world.actors:
            place = actor.trip.at(index / 25)
            row = np.flatnonzero((truth.track_id == actor.track_id) & (truth.visibility > 0.5))
            if actor.class_id == VEHICLE and place and len(row):
                x1, _, x2, y2 = truth.xyxy[row[0]]
                if x1 > 0 and x2 < 320:
                    expected = place.x * 180 - world.pan_px(index / 25)
                    assert (x1 + x2) / 2 == pytest.approx(expected, abs=2)
                    assert y2 == pytest.approx(place.y * 180, abs=3)
                    checked += 1
    assert checked >= 5


def test_the_nearer_the_taller():
    world = StreetWorld(StreetConfig(seed=2, occluders=0))
    _, truth = world.frame(40)
    people = truth[(truth.class_id == PERSON) & (truth.visibility > 0.95)]
    foot, height = people.xyxy[:, 3], people.xyxy[:, 3] - people.xyxy[:, 1]
    assert len(people) >= 4
    assert np.corrcoef(foot, height)[0, 1] > 0.9


def test_without_noise_two_frames_of_an_empty_street_are_equal_and_with_noise_they_are_not():
    empty = StreetConfig(width=160, height=90, people=0, vehicles=0, noise=0, light=0, pan=0)
    quiet, noisy = StreetWorld(empty), StreetWorld(replace(empty, noise=4.0))
    difference = quiet.frame(0)[0].image.astype(int) - quiet.frame(1)[0].image
    grain = noisy.frame(0)[0].image.astype(int) - noisy.frame(1)[0].image
    assert not difference.any()
    assert 4.0 < grain.std() < 7.0


def test_light_and_blur_change_the_picture_and_never_the_truth():
    plain = replace(SMALL, noise=0, light=0)
    frame, truth = StreetWorld(plain).frame(20)
    for change, check in (
        ({"exposure": 0.6}, lambda a, b: b.mean() < 0.7 * a.mean()),
        ({"light": 0.3}, lambda a, b: abs(b.mean() - a.mean()) > 3),
        ({"blur_px": 2.0}, lambda a, b: np.abs(np.diff(b)).mean() < np.abs(np.diff(a)).mean()),
    ):
        other, same_truth = StreetWorld(replace(plain, **change)).frame(20)
        assert check(frame.image.astype(float), other.image.astype(float)), change
        np.testing.assert_array_equal(same_truth.visibility, truth.visibility)


@pytest.mark.parametrize(
    "wrong", [{"people": 250, "vehicles": 6}, {"width": 10}, {"fps": 0}, {"frames": -1}]
)
def test_a_street_that_cannot_be_drawn_is_refused(wrong):
    with pytest.raises(ValueError, match=r"a street|a world"):
        StreetConfig(**wrong)
