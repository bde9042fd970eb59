"""Trajectories of MOTChallenge sequences: truth, what a detector saw of it, and bad files."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.moving_together import draw_together, write_sequence
from helpers.places import ASSETS
from mot_dinov3.data.trajectories.reader import hold_out, match_detections, read_trajectories
from mot_dinov3.errors import InputError, UsageError
from mot_dinov3.io.formats.mot import MotTable

REAL = ASSETS / "trajectories" / "dancetrack" / "dancetrack0005"


def test_a_sequence_and_a_folder_of_them_are_read(tmp_path):
    drawn = draw_together(0, frames=12)
    for name in ("b10", "b9"):
        write_sequence(tmp_path / name, drawn)
    one, other = read_trajectories(f"mot:{tmp_path}")
    assert (one.name, other.name, one.fps, one.detected) == ("b9", "b10", 30.0, False)
    np.testing.assert_allclose(one.truth, drawn.truth, atol=1e-2)
    np.testing.assert_array_equal(one.seen, one.truth)
    (alone,) = read_trajectories(f"mot:{tmp_path / 'b9'}")
    np.testing.assert_array_equal(alone.truth, one.truth)


def test_detections_are_what_was_seen(tmp_path):
    write_sequence(tmp_path / "a", draw_together(0, frames=12), detections=True)
    (one,) = read_trajectories(f"mot:{tmp_path}")
    assert one.detected
    np.testing.assert_allclose(one.seen[..., 0] - one.truth[..., 0], 2.0, atol=1e-2)
    np.testing.assert_allclose(one.score, 0.9)


def test_rows_may_come_in_any_order(tmp_path):
    folder = write_sequence(tmp_path / "a", draw_together(0, frames=12))
    (sorted_rows,) = read_trajectories(f"mot:{folder}")
    text = folder / "gt" / "gt.txt"
    text.write_text("\n".join(reversed(text.read_text().splitlines())) + "\n")
    (again,) = read_trajectories(f"mot:{folder}")
    np.testing.assert_array_equal(again.truth, sorted_rows.truth)


def test_a_detection_belongs_to_one_object_and_shows_half_of_it():
    truth = np.array([[[0, 0, 10, 10], [2, 0, 12, 10], [50, 0, 60, 10]]], np.float32)
    boxes = np.array([[1.5, 0, 11.5, 10], [56, 0, 66, 10]], np.float32)
    table = MotTable(
        np.zeros(2, np.int64), -np.ones(2, np.int64), boxes, np.array([0.8, 0.7], np.float32),
        -np.ones(2, np.int64), np.ones(2, np.float32),
    )  # fmt: skip
    seen, score = match_detections(truth, table)
    np.testing.assert_array_equal(np.isfinite(seen[0, :, 0]), [False, True, False])
    np.testing.assert_allclose(score, [[0, 0.8, 0]])


def test_every_sixth_sequence_of_each_folder_is_held_out():
    first, second = [*range(13)], [*range(20, 25)]
    learned, held_out = hold_out([first, second])
    assert held_out == [5, 11]
    assert sorted(learned + held_out) == first + second


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / "gt" / "gt.txt").unlink(), "holds no sequence"),
        (lambda folder: (folder / "seqinfo.ini").unlink(), "has no seqinfo.ini"),
        (
            lambda folder: (folder / "gt" / "gt.txt").write_text("1,-1,5,5,9,9,1\n"),
            "-1 is not an identity",
        ),
        (
            lambda folder: (folder / "gt" / "gt.txt").write_text("1,1,5,5,9,9,0\n"),
            "holds no box that counts",
        ),
        (
            lambda folder: (folder / "gt" / "gt.txt").write_text("99,1,5,5,9,9,1\n"),
            "beyond the last one, 12",
        ),
    ],
)
def test_what_is_wrong_is_said(tmp_path, spoil, said):
    spoil(write_sequence(tmp_path / "a", draw_together(0, frames=12)))
    with pytest.raises(InputError, match=said):
        read_trajectories(f"mot:{tmp_path}")


def test_a_place_without_its_kind_is_refused(tmp_path):
    for spec in (str(tmp_path), "mot:", "otb:x"):
        with pytest.raises(UsageError, match="what kind of data"):
            read_trajectories(spec)
    with pytest.raises(InputError, match="does not exist"):
        read_trajectories(f"mot:{tmp_path / 'nowhere'}")


@pytest.mark.skipif(not REAL.is_dir(), reason="the shared test assets are not here")
def test_a_real_detector_sees_nearly_all_of_a_real_sequence():
    (one,) = read_trajectories(f"mot:{REAL}")
    assert one.truth.shape == (1203, 4, 4)
    assert one.fps == 20
    assert 0.95 < one.observed.sum() / one.present.sum() < 1
