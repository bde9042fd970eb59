"""Every preset does what its name says; nearly all of it is seen in plans and small frames."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from mot_dinov3.data.synthetic.barriers import BODY_M, draw_hoarding, draw_stall
from mot_dinov3.data.synthetic.clip import DEMO_SEED
from mot_dinov3.data.synthetic.presets import crossings, flock
from mot_dinov3.data.synthetic.presets.factory import (
    FIRST_TRAINING_SEED,
    PRESETS,
    create_world,
    load_preset,
)
from mot_dinov3.data.synthetic.truth import GroundTruth
from mot_dinov3.data.synthetic.world import World, still
from mot_dinov3.errors import UnknownNameError, UsageError

SMALL = {"width": 192, "height": 108}
NAMES = tuple(PRESETS)


def same(a: GroundTruth, b: GroundTruth):
    pairs = [(getattr(a, name), getattr(b, name)) for name in a.__slots__]
    return all(np.array_equal(x, y) for x, y in pairs)


def visibility(world, every=5):
    """Seconds -> identity -> how much of it is seen, of who is in the picture."""
    out = {}
    for index in range(0, len(world), every):
        _, truth = world.frame(index)
        seen = zip(truth.track_id.tolist(), truth.visibility.tolist(), strict=True)
        out[index / world.config.fps] = dict(seen)
    return out


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_frames_and_another_one_other_people(name):
    world, again = create_world(name, **SMALL), create_world(name, **SMALL)
    other = create_world(name, seed=7, **SMALL)
    for index in (90, 30):
        frame, truth = world.frame(index)
        repeated, same_truth = again.frame(index)
        assert np.array_equal(frame.image, repeated.image)
        assert same(truth, same_truth)
        assert not np.array_equal(frame.image, other.frame(index)[0].image)
        assert not same(truth, other.frame(index)[1])


@pytest.mark.parametrize("name", [name for name in NAMES if name != "street"])
def test_a_shorter_clip_is_the_beginning_of_a_longer_one(name):
    whole, short = create_world(name, **SMALL), create_world(name, frames=41, **SMALL)
    assert len(short) == 41
    assert np.array_equal(short.frame(40)[0].image, whole.frame(40)[0].image)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seconds", [20, 400])
def test_plans_last_as_long_as_the_clip(name, seconds):
    world = create_world(name, frames=round(seconds * load_preset(name).clip.fps), **SMALL)
    ends_s = [actor.trip.legs[-1].end_s for actor in world.actors]
    assert (max(ends_s) if name == "street" else min(ends_s)) >= seconds


def test_default_seeds_are_apart_from_each_other_from_training_and_from_the_demo():
    seeds = [load_preset(name).clip.seed for name in NAMES]
    assert len({*seeds, DEMO_SEED}) == len(seeds) + 1
    assert all(1000 < seed < FIRST_TRAINING_SEED for seed in seeds)


def test_an_unknown_preset_and_a_seed_of_the_training_are_refused():
    with pytest.raises(UnknownNameError, match="crossings, flock, lowfps"):
        create_world("croud")
    for seed in (FIRST_TRAINING_SEED, -1):
        with pytest.raises(UsageError, match="seed"):
            create_world("flock", seed=seed)


def encounters(world, first, count, metre):
    """(turned back, went on): meetings of neighbours of a row within a third of a metre."""
    row = world.actors[first : first + count]
    times = np.arange(0, 60, 0.04)
    x = np.array([[actor.trip.at(t).x for t in times] for actor in row])
    turned = went_on = 0
    for a, b in itertools.combinations(range(count), 2):
        gap = x[a] - x[b]
        close = np.flatnonzero(np.abs(gap) < metre / 3)
        for meeting in np.split(close, np.flatnonzero(np.diff(close) > 1) + 1):
            if len(meeting) and meeting[0] > 0 and meeting[-1] < len(times) - 1:
                same_side = np.sign(gap[meeting[0] - 1]) == np.sign(gap[meeting[-1] + 1])
                turned, went_on = turned + same_side, went_on + (not same_side)
    return turned, went_on


def test_people_who_cross_go_on_or_turn_back_and_those_in_one_kit_always_go_on():
    world, first = create_world("crossings", **SMALL), 0
    for number, (y, count) in enumerate(crossings.ROWS):
        turned, went_on = encounters(world, first, count, crossings.metre_at(y))
        kits = {replace(a.look, pace_mps=1.0) for a in world.actors[first : first + count]}
        assert went_on >= 5
        if number == len(crossings.ROWS) - 1:
            assert (turned, len(kits)) == (0, 1)
        else:
            assert turned >= 3
            assert len(kits) == count
        first += count


def test_who_is_occluded_stays_away_for_more_than_two_seconds_and_returns_elsewhere():
    world = create_world("occlusion", **SMALL)
    absences, moved = [], 0
    last: dict[int, tuple[float, np.ndarray]] = {}
    for index in range(0, len(world), 5):
        _, truth = world.frame(index)
        seen = truth[truth.visibility > 0.3]
        for track_id, box in zip(seen.track_id.tolist(), seen.xyxy, strict=True):
            before_s, before = last.get(track_id, (index / 25, box))
            if index / 25 - before_s > 2.0:
                absences.append((track_id, index / 25 - before_s))
                moved += abs(box[0] - before[0]) > box[2] - box[0]
            last[track_id] = index / 25, box
    assert len(absences) >= 30
    assert len({track_id for track_id, _ in absences}) == len(world.actors)
    assert moved >= 15


def test_who_stands_behind_a_barrier_is_in_the_truth_with_visibility_zero():
    states = visibility(create_world("occlusion", frames=300, **SMALL))
    hidden = [value == 0 for state in states.values() for value in state.values()]
    assert sum(hidden) > 0.2 * len(hidden)


def test_a_flock_is_hidden_as_one_seen_as_one_and_comes_out_in_another_order():
    world = create_world("flock", **SMALL)
    states, first = visibility(world), 0
    for group in flock.GROUPS:
        ids = range(first + 1, first + group.size + 1)
        hidden = [t for t, state in states.items() if not any(state[i] for i in ids)]
        shown = [t for t, state in states.items() if min(state[i] for i in ids) > 0.2]
        assert hidden
        assert shown
        orders = {tuple(sorted(ids, key=lambda i: world.actors[i - 1].trip.at(t).x)) for t in shown}
        assert len(orders) >= 3
        first += group.size
    everybody = [t for t, state in states.items() if not any(state.values())]
    assert everybody


def test_a_flock_keeps_its_formation_while_it_is_seen():
    world = create_world("flock", **SMALL)
    group = world.actors[: flock.GROUPS[0].size]
    marching = [actor for actor in group if actor.trip.at(2.0).moving]
    step = [actor.trip.at(2.2).x - actor.trip.at(2.0).x for actor in marching]
    assert len(marching) == len(group)
    assert np.ptp(step) < 0.02 * abs(np.mean(step))


@pytest.mark.parametrize("name", ["pan", "street"])
def test_a_turning_camera_moves_all_boxes_alike(name):
    world = create_world(name, **SMALL)
    script = replace(world.script, turn=still)
    unmoved = World(world.config, script, np.random.default_rng(0))
    checked = 0
    for index in range(40, 300, 20):
        shift = world.pan_px(index / 25)
        moved, fixed = world.frame(index)[1], unmoved.frame(index)[1]
        boxes = dict(zip(fixed.track_id.tolist(), fixed.xyxy, strict=True))
        for track_id, box in zip(moved.track_id.tolist(), moved.xyxy, strict=True):
            before = boxes.get(track_id)
            if before is not None and all(0 < x < 192 for x in (*box[::2], *before[::2])):
                np.testing.assert_array_equal(box, before - (shift, 0, shift, 0))
                checked += abs(shift) > 2
    assert checked >= 5


def test_a_swing_of_the_camera_outruns_a_walker_by_far_and_ends_within_a_second():
    turn = create_world("pan", **SMALL).script.turn
    steps = np.abs(np.diff([turn(index / 25) for index in range(750)]))
    fastest_walker = 2.1 * 0.24 / 25
    assert steps.max() > 2.5 * fastest_walker
    assert 0.2 < (steps < 1e-9).mean() < 0.9
    runs = [len(list(run)) for moves, run in itertools.groupby(steps > 1e-9) if moves]
    assert max(runs) <= 25


def test_at_few_frames_a_second_a_walker_jumps_by_a_third_of_his_width():
    world = create_world("lowfps", width=384, height=216)
    fps = world.config.fps
    assert fps <= 5
    jumps = []
    for index in range(0, 100, 10):
        before, after = world.frame(index)[1], world.frame(index + 1)[1]
        there = dict(zip(after.track_id.tolist(), after.xyxy, strict=True))
        for track_id, box in zip(before.track_id.tolist(), before.xyxy, strict=True):
            if track_id in there and world.actors[track_id - 1].trip.at(index / fps).moving:
                jumps.append(abs(there[track_id][0] - box[0]) / (box[2] - box[0]))
    assert np.median(jumps) > 0.33


def test_nobody_leaves_a_promenade():
    world = create_world("lowfps", **SMALL)
    for actor in world.actors:
        x = [x for leg in actor.trip.legs for x, _ in (leg.start, leg.end)]
        assert min(x) > 0
        assert max(x) < world.config.aspect


@pytest.mark.parametrize("paint", [draw_hoarding, draw_stall])
def test_a_barrier_is_solid_as_wide_as_asked_for(paint):
    sprite = paint(np.random.default_rng(0), 3.0)
    solid = sprite.pixels[..., 3] > 127
    x, y = sprite.origin_px
    wide, tall = 3.0 / 2 * sprite.unit_px, 2.0 * sprite.unit_px
    inside = solid[round(y - tall) : round(y) - 1, round(x - wide) + 2 : round(x + wide) - 2]
    assert inside.all()
    assert wide > BODY_M * sprite.unit_px
