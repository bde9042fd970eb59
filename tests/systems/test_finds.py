"""A find is believed near its prediction, and further off if its look or its colours say so."""

from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.perception.searchers.base import Finds
from mot_dinov3.systems.finds import FindJudge, measure_cover
from mot_dinov3.values import CONFIRMED, LOST, Frame, Tracks

RED, GREEN, GREY = (0, 0, 200), (0, 200, 0), (90, 90, 90)
PLACE = (100, 40, 140, 140)


def tracks_at(*boxes, seen=()):
    n = len(boxes)
    detection = np.array([row if row in seen else -1 for row in range(n)])
    return Tracks(
        id=np.arange(1, n + 1),
        xyxy=np.array(boxes, np.float32).reshape(-1, 4),
        score=np.ones(n, np.float32), class_id=np.zeros(n, np.int64),
        state=np.where(detection < 0, LOST, CONFIRMED).astype(np.int8),
        fresh=np.zeros(n, bool), detection=detection,
    )  # fmt: skip


def paint(index, *things):
    image = np.full((200, 320, 3), GREY, np.uint8)
    for (left, top, right, bottom), colour in things:
        image[top:bottom, left:right] = colour
    return Frame(index, index / 25, image)


def lower(pixels):
    left, top, right, bottom = PLACE
    return left, top + pixels, right, bottom + pixels


class Looks:
    """Says of every find how much it looks like its track."""

    def __init__(self, likeness):
        self.likeness = likeness

    def compare(self, tracks, rows, vectors):
        return np.full(len(rows), self.likeness, np.float32)


def judge(box, colour, beside=GREY, looks=None):
    """Whether a track that was red before `beside` is found in `box` where a frame shows it."""
    judge, tracks = FindJudge(), tracks_at(PLACE)
    room = (60, 0, 180, 200)
    judge.note(paint(0, (room, beside), (PLACE, RED)), tracks, np.array([0]))
    finds = Finds(np.array([box], np.float32), np.ones(1, np.float32))
    embed = None if looks is None else lambda boxes: np.ones((len(boxes), 4), np.float32)
    frame = paint(1, (room, beside), (box, colour))
    return bool(judge.judge(frame, tracks, np.array([0]), finds, Looks(looks), embed)[0])


@pytest.mark.parametrize("colour", [RED, GREEN])
def test_a_find_where_it_is_expected_is_believed_whatever_its_colours(colour):
    assert judge(lower(5), colour)


def test_a_find_off_its_prediction_is_believed_with_the_colours_of_its_track():
    assert judge(lower(25), RED)
    assert not judge(lower(25), GREEN)
    assert not judge(lower(60), RED), "too far"


def test_colours_that_are_all_around_tell_nothing():
    assert not judge(lower(25), RED, beside=RED)
    assert judge(lower(5), RED, beside=RED)


def test_where_there_is_an_embedder_colours_say_nothing():
    assert judge(lower(25), GREEN, looks=0.1)
    assert not judge(lower(5), RED, looks=-0.1)
    assert not judge(lower(25), RED, looks=np.nan), "tracks it cannot judge are mostly hidden"
    assert judge(lower(5), GREEN, looks=np.nan)


def test_colours_are_forgotten_with_their_track():
    judge, tracks = FindJudge(), tracks_at(PLACE)
    frame = paint(0, (PLACE, RED))
    judge.note(frame, tracks, np.array([0]))
    judge.forget({1})
    finds = Finds(np.array([lower(25)], np.float32), np.ones(1, np.float32))
    found = judge.judge(paint(1, (lower(25), RED)), tracks, np.array([0]), finds, Looks(0), None)
    assert found.tolist() == [False]


def test_cover_is_the_part_of_a_find_that_one_seen_track_covers():
    tracks = tracks_at((0, 0, 10, 10), (20, 0, 30, 10), (50, 0, 60, 10), seen=(0, 1))
    found = np.array([(5, 0, 15, 10), (20, 2, 30, 6), (50, 0, 60, 10), (9, 9, 9, 9)], np.float32)
    np.testing.assert_allclose(measure_cover(tracks, found), [0.5, 1, 0, 0], atol=1e-6)
    assert measure_cover(tracks[tracks.detection < 0], found).tolist() == [0] * 4
    assert len(measure_cover(tracks, found[:0])) == 0
