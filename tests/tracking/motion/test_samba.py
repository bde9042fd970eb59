"""`samba` as a motion model: Kalman where nothing was learned, rows that stay aligned."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.moving_together import draw_together, make_cell, store_cell, weights_of
from mot_dinov3.config import MotionConfig
from mot_dinov3.errors import ModelError, UsageError
from mot_dinov3.tracking.motion.factory import create_motion
from mot_dinov3.tracking.motion.kalman import KalmanMotion
from mot_dinov3.tracking.motion.samba import SambaMotion
from mot_dinov3.tracking.motion.samba_network import read_network
from mot_dinov3.tracking.trajectory import Trajectory

CONFIG = MotionConfig()
STEP_S = 1 / 25


def make(noise=0.2, **changes):
    return SambaMotion(CONFIG, trained=read_network(weights_of(make_cell(noise=noise, **changes))))


def follow(model, boxes, hidden=(), first=0):
    """Show all but the `hidden` objects in every frame; the predictions of all frames."""
    score, out = np.full(len(boxes[0]), 0.9, np.float32), []
    seen = np.setdiff1d(np.arange(len(boxes[0])), hidden)
    for frame, xyxy in enumerate(boxes, first):
        if not frame:
            model.initiate(xyxy, score)
            continue
        missed = np.isin(np.arange(len(model)), hidden) & (frame > 1)
        model.predict(STEP_S, missed)
        out.append(model.xyxy())
        model.update(seen, xyxy[seen], score[seen])
    return np.stack(out)


BOXES = draw_together(3, frames=12, objects=5).truth


def test_a_network_that_learned_nothing_is_the_kalman_filter():
    untrained, kalman = make(noise=0), KalmanMotion(CONFIG)
    ours, theirs = follow(untrained, BOXES, [1]), follow(kalman, BOXES, [1])
    np.testing.assert_array_equal(ours, theirs)
    rows = np.arange(5)
    np.testing.assert_array_equal(
        untrained.gate_distance(BOXES[3], rows), kalman.gate_distance(BOXES[3], rows)
    )
    np.testing.assert_array_equal(untrained.ahead(0.1), kalman.ahead(0.1))
    assert not np.allclose(follow(make(), BOXES, [1]), theirs)


def test_tracks_that_are_seen_are_predicted_as_by_the_kalman_filter():
    trained, kalman = follow(make(), BOXES, [1]), follow(KalmanMotion(CONFIG), BOXES, [1])
    np.testing.assert_array_equal(trained[:, [0, 2, 3, 4]], kalman[:, [0, 2, 3, 4]])
    assert np.abs(trained[2:, 1] - kalman[2:, 1]).max() > 1


def test_permuting_tracks_permutes_predictions():
    order = np.array([4, 2, 0, 1, 3])
    ours, reordered = follow(make(), BOXES, [1]), follow(make(), BOXES[:, order], [3])
    np.testing.assert_allclose(reordered, ours[:, order], atol=2e-3)


def test_where_all_tracks_are_in_the_picture_does_not_matter():
    ours, moved = follow(make(), BOXES, [1]), follow(make(), BOXES + 200, [1])
    np.testing.assert_allclose(moved - 200, ours, atol=1e-2)


def test_rows_are_kept_selected_stored_and_extended_with_their_memory():
    model = make(synced=False)
    follow(model, BOXES, [0, 3])
    part = model.select(np.array([3, 0]))
    model.keep(np.array([0, 3, 4]))
    for one in (part, model):
        one.predict(STEP_S, np.zeros(len(one), np.bool_))
    np.testing.assert_allclose(part.xyxy()[[1, 0]], model.xyxy()[:2], atol=1e-4)
    part.extend(model)
    assert len(part) == 5 == len(part.past.state)
    part.store(np.array([0]), model.select(np.array([2])))
    np.testing.assert_array_equal(part.xyxy()[0], model.xyxy()[2])
    np.testing.assert_array_equal(part.past.state[0], model.past.state[2])


def test_a_track_that_takes_a_removed_ones_row_remembers_nothing_of_it():
    used, fresh = make(), make()
    follow(used, BOXES)
    used.keep(np.zeros(5, np.bool_))
    assert len(used) == 0
    np.testing.assert_array_equal(follow(used, BOXES), follow(fresh, BOXES))


def test_a_restarted_track_remembers_nothing():
    model, fresh = make(synced=False), make(synced=False)
    follow(model, BOXES)
    model.restart(np.array([2]), BOXES[0, 2:3])
    fresh.initiate(BOXES[0, 2:3], np.ones(1, np.float32))
    for _ in range(5):
        for one in (model, fresh):
            one.predict(STEP_S, np.ones(len(one), np.bool_))
    np.testing.assert_allclose(model.xyxy()[2], fresh.xyxy()[0], atol=1e-3)


def test_doubt_of_the_network_widens_the_gate():
    weights = weights_of(make_cell())
    weights["leave.bias"][6:] = 2.0
    wide, plain = SambaMotion(CONFIG, trained=read_network(weights)), make(noise=0)
    for one in (wide, plain):
        follow(one, BOXES, [1, 3])
        one.predict(STEP_S, np.isin(np.arange(5), [1, 3]))
    rows, far = np.arange(5), BOXES[-1] + 25
    ratio = wide.gate_distance(far, rows) / plain.gate_distance(far, rows)
    assert (ratio[[1, 3]] < 0.3).all()
    np.testing.assert_array_equal(ratio[[0, 2, 4]], 1)


def test_without_tracks_nothing_happens():
    model = make()
    model.predict(STEP_S, np.zeros(0, np.bool_))
    model.update(np.zeros(0, np.int64), np.zeros((0, 4), np.float32), np.zeros(0, np.float32))
    assert model.xyxy().shape == (0, 4)


def test_it_can_be_corrected_along_a_path():
    model = make()
    trajectory = Trajectory(model, anchored=True)
    follow(model, BOXES)
    trajectory.extend(5, model)
    trajectory.observe(np.arange(5), BOXES[-1], 0.0, model)
    trajectory.re_update(np.array([1, 4]), BOXES[-1, [1, 4]] + 9, np.array([2, 3]), model, STEP_S)
    assert np.isfinite(model.xyxy()).all()


def test_a_shift_moves_boxes_and_is_told_to_the_network():
    model, still = make(), make()
    follow(model, BOXES)
    follow(still, BOXES)
    before = model.xyxy()
    model.shift(np.array([7.0, -3.0]))
    np.testing.assert_allclose(model.xyxy() - before, [[7, -3, 7, -3]] * 5, atol=1e-3)
    for _ in range(2):
        for one in (model, still):
            one.predict(STEP_S, np.ones(5, np.bool_))
    assert not np.allclose(model.xyxy() - still.xyxy(), [7, -3, 7, -3], atol=1e-2)


def test_a_checkpoint_is_read_by_name_and_told_from_others(tmp_path):
    folders = [store_cell(tmp_path / str(n), make_cell(n, noise=0.1)) for n in (1, 2)]
    one, other = (create_motion(MotionConfig(motion=f"samba:{folder}")) for folder in folders)
    assert one.fingerprint != other.fingerprint
    assert one.fingerprint == create_motion(MotionConfig(motion=f"samba:{folders[0]}")).fingerprint
    np.testing.assert_array_equal(
        follow(one, BOXES),
        follow(
            SambaMotion(CONFIG, trained=read_network(weights_of(make_cell(1, noise=0.1)))), BOXES
        ),
    )


def test_what_is_not_a_network_for_motion_is_refused(tmp_path):
    with pytest.raises(UsageError, match="needs a trained network"):
        create_motion(MotionConfig(motion="samba"))
    with pytest.raises(ModelError, match="is not a checkpoint"):
        create_motion(MotionConfig(motion=f"samba:{tmp_path / 'nowhere'}"))
    other = store_cell(tmp_path / "reid", make_cell(), kind="reid")
    with pytest.raises(ModelError, match="of kind 'reid', and one of kind 'samba'"):
        create_motion(MotionConfig(motion=f"samba:{other}"))
    cell = make_cell()
    del cell.gate
    spoilt = store_cell(tmp_path / "spoilt", cell)
    with pytest.raises(ModelError, match=r"not those of this network: .*gate\.weight"):
        create_motion(MotionConfig(motion=f"samba:{spoilt}"))
