from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from helpers.fakes import boxes
from mot_dinov3.runs.resume.answers import (
    HEAD,
    DamagedError,
    FrameAnswers,
    picture_checksum,
    tracks_checksum,
)
from mot_dinov3.values import Detections, Frame, Tracks

SEEN = boxes((1, 2, 3.5, 4), (5, 6, 70, 80.25, 0.3, 1))
VECTORS = np.array([[1, 0.1, np.nan], [0.3, 0.2, -1], [0, 0, 1e-30]], np.float32)
FULL = FrameAnswers(7, 0.28, 11, 12, SEEN, 3.25, [3, 0, 2], [(1, 2.5), (2, 4.0)], VECTORS)
EMPTY = FrameAnswers(0, 0.0, 0, 0, Detections.empty(), 0.0, [], [], np.zeros((0, 0), np.float32))


def again(answers):
    return FrameAnswers.unpack(b"".join(answers.pack()))


@pytest.mark.parametrize("answers", [FULL, EMPTY])
def test_answers_come_back_bit_for_bit(answers):
    back = again(answers)
    assert (back.index, back.time_s, back.picture, back.tracks) == (
        answers.index, answers.time_s, answers.picture, answers.tracks)  # fmt: skip
    assert back.detect_ms == answers.detect_ms
    assert list(back.admitted) == list(answers.admitted)
    assert list(back.batches) == list(answers.batches)
    for name in ("xyxy", "score", "class_id"):
        ours, theirs = getattr(back.detections, name), getattr(answers.detections, name)
        assert ours.dtype == theirs.dtype
        assert ours.tobytes() == theirs.tobytes()
    assert back.vectors.tobytes() == answers.vectors.tobytes()
    assert back.vectors.shape == answers.vectors.shape


def test_what_comes_back_may_be_written_to():
    back = again(FULL)
    back.vectors[0] = 0
    back.detections.xyxy[0] = 0


def test_times_come_back_exactly():
    for number in range(200):
        time_s = number / 29.97
        assert again(replace(FULL, time_s=time_s)).time_s == time_s


def with_head(**values):
    """The bytes of `FULL` whose JSON says something else."""
    _, head, *arrays = FULL.pack()
    changed = json.dumps({**json.loads(head), **values}).encode()
    return b"".join((HEAD.pack(len(changed)), changed, *arrays))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xff\xff\xff",
        b"\x02\x00\x00\x00[]",
        b"\x02\x00\x00\x00{}",
        b"".join(FULL.pack())[:-1],
        b"".join(FULL.pack()) + b"x",
        *(with_head(detections=value) for value in (-1, 3, 10**12, 1.5, "2", None, True, [])),
        with_head(dim=10**9),
        with_head(batches=[[1, 2.5]]),
        with_head(batches=[[1]]),
        with_head(batches=[["1", 2.5], [2, 4.0]]),
        with_head(batches=7),
        with_head(admitted=[-1]),
        with_head(time_s=float("nan")),
        with_head(frame=None),
        HEAD.pack(100_000) + b"[" * 100_000,
    ],
)
def test_what_is_no_frame_is_one_kind_of_error(data):
    with pytest.raises(DamagedError):
        FrameAnswers.unpack(data)


def test_pictures_are_told_apart():
    image = np.zeros((480, 640, 3), np.uint8)
    other = image.copy()
    other[240:260, 320:360] = 9
    assert picture_checksum(Frame(0, 0, image)) == picture_checksum(Frame(3, 1, image.copy()))
    assert picture_checksum(Frame(0, 0, image)) != picture_checksum(Frame(0, 0, other))
    assert picture_checksum(Frame(0, 0, image)) != picture_checksum(
        Frame(0, 0, np.zeros((640, 480, 3), np.uint8))
    )
    assert picture_checksum(
        Frame(0, 0, np.broadcast_to(np.uint8(0), (480, 640, 3)))
    ) == picture_checksum(Frame(0, 0, image))
    picture_checksum(Frame(0, 0, np.zeros((1, 1, 3), np.uint8)))


def test_tracks_are_told_apart_by_who_and_where():
    def tracks(**values):
        whole = np.arange(3)
        parts = {"id": whole + 1, "detection": whole, "state": np.ones(3, np.int8)}
        parts |= {"fresh": np.zeros(3, bool), "class_id": whole, "score": np.ones(3, np.float32)}
        return Tracks(**{"xyxy": np.zeros((3, 4), np.float32), **parts, **values})

    same = tracks_checksum(tracks())
    assert tracks_checksum(tracks()) == same
    assert tracks_checksum(tracks(id=np.array([2, 1, 3]))) != same
    assert tracks_checksum(tracks(detection=np.array([0, 1, -1]))) != same
    assert tracks_checksum(tracks(fresh=np.ones(3, bool))) != same
