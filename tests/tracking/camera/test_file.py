"""Camera motion that somebody else has measured."""

from __future__ import annotations

import os

import numpy as np
import pytest

from helpers.fakes import blank_frame
from mot_dinov3.errors import InputError, UnknownNameError, UsageError
from mot_dinov3.tracking.camera.factory import create_camera

NOBODY = np.empty((0, 4), np.float32)
ROW = "{} 1 0 {} 0 1 {}\n"


@pytest.fixture
def maps(tmp_path):
    def write(text):
        (tmp_path / "gmc.txt").write_text(text)
        return create_camera(f"file:{tmp_path / 'gmc.txt'}")

    return write


def told(camera, *indices):
    return [camera.estimate(blank_frame(index), NOBODY) for index in indices]


def test_every_frame_has_its_map(maps):
    camera = maps("0 1 0 0 0 1 0\n1 1.1 0.2 5 -0.2 1.1 7\n2 1 0 -3 0 1 0\n")
    first, second, third = told(camera, 0, 1, 2)
    assert first.tolist() == [[1, 0, 0], [0, 1, 0]]
    np.testing.assert_allclose(second, [[1.1, 0.2, 5], [-0.2, 1.1, 7]])
    np.testing.assert_allclose(third, [[1, 0, -3], [0, 1, 0]])


def test_maps_of_skipped_frames_are_passed_through_in_order(maps):
    """Twice as large and then moved is not moved and then twice as large."""
    camera = maps("1 2 0 0 0 2 0\n2 1 0 10 0 1 0\n3 0.5 0 0 0 0.5 4\n")
    _, found = told(camera, 0, 3)
    np.testing.assert_allclose(found, [[1, 0, 5], [0, 1, 4]])


def test_what_came_before_the_start_frame_does_not_count(maps):
    camera = maps("".join(ROW.format(k, k, 0) for k in range(10)))
    first, second = told(camera, 5, 6)
    assert first[0, 2] == 0
    assert second[0, 2] == 6


def test_a_stride_adds_up_what_lies_between(maps):
    camera = maps("".join(ROW.format(k, 2, -1) for k in range(10)))
    found = told(camera, 0, 3, 6, 9)
    assert [(m[0, 2], m[1, 2]) for m in found] == [(0, 0), (6, -3), (6, -3), (6, -3)]


def test_frames_without_a_row_stand_still(maps):
    camera = maps(ROW.format(2, 8, 0))
    assert [m[0, 2] for m in told(camera, 0, 1, 2, 3, 99)] == [0, 0, 8, 0, 0]


def test_commas_tabs_and_empty_lines_are_fine(maps):
    camera = maps("\n1,1,0,4,0,1,0\n\n2\t1\t0\t6\t0\t1\t0\n")
    assert [m[0, 2] for m in told(camera, 0, 1, 2)] == [0, 4, 6]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("1 1 0 0 0 1", "not a camera motion"),
        ("1 1 0 0 0 1 0 0", "not a camera motion"),
        ("1 1 0 left 0 1 0", "not a camera motion"),
        ("1 1 0 nan 0 1 0", "not a camera motion"),
        ("1.5 1 0 0 0 1 0", "not a camera motion"),
        ("-1 1 0 0 0 1 0", "not a camera motion"),
        ("1 1 0 1e300 0 1 0", "not a camera motion"),
        ("9" * 200 + " 1 0 0 0 1 0", "not a camera motion"),
        ("1 0 0 0 0 0 0", "inside out or to a point"),
        ("1 50 0 0 0 50 0", "inside out or to a point"),
    ],
)
def test_a_bad_line_is_named(maps, line, why):
    with pytest.raises(InputError, match=rf"gmc.txt' line 2 .*{why}") as caught:
        maps(ROW.format(0, 0, 0) + line + "\n")
    assert caught.value.fix


def test_a_mirrored_picture_is_refused(maps):
    with pytest.raises(InputError, match="inside out"):
        maps("1 -1 0 0 0 1 0\n")


def test_a_file_that_is_not_there_or_no_text_is_told(tmp_path):
    with pytest.raises(InputError, match=r"Cannot read the --cmc file '.*nowhere.txt'"):
        create_camera(f"file:{tmp_path / 'nowhere.txt'}")
    with pytest.raises(InputError, match="Cannot read"):
        create_camera(f"file:{tmp_path}")
    (tmp_path / "film").write_bytes(b"\x80\x81\x00\x82")
    with pytest.raises(InputError, match="not a text file"):
        create_camera(f"file:{tmp_path / 'film'}")


def test_a_pipe_is_refused_as_it_cannot_be_read_twice():
    """The second reading, which is the run's, would find that the camera stood still."""
    reading, writing = os.pipe()
    os.write(writing, ROW.format(1, 5, 0).encode())
    os.close(writing)
    with pytest.raises(InputError, match="is not a regular file"):
        create_camera(f"file:/dev/fd/{reading}")
    os.close(reading)


@pytest.mark.parametrize("name", ["file", "file:", "file:  "])
def test_a_file_must_be_named(name):
    with pytest.raises(UsageError, match="names no file"):
        create_camera(name)


def test_no_camera_motion_is_nobody():
    assert create_camera("none") is None


@pytest.mark.parametrize("name", ["gmc.txt", "orb", "none:5", ""])
def test_an_unknown_camera_motion_lists_the_known(name):
    with pytest.raises(UnknownNameError, match=r"file:FILE, flow, none"):
        create_camera(name)


def test_a_line_without_end_is_refused(maps):
    with pytest.raises(InputError, match="line longer than"):
        maps("1 " * 10_000)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_a_byte_order_mark_changes_nothing(tmp_path, encoding):
    path = tmp_path / "gmc.txt"
    path.write_bytes(("\ufeff" + ROW.format(0, 0, 0) + ROW.format(1, 5, 6)).encode(encoding))
    moved = told(create_camera(f"file:{path}"), 0, 1)[1]
    assert moved.tolist() == [[1, 0, 5], [0, 1, 6]]
