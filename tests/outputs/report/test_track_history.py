"""Lives: spans, gaps, embeddings, speed, and who never was anybody."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.reports import FPS, look, recorded, result
from mot_dinov3.outputs.report.track_history import rate_clarity

BOX = (10, 10, 30, 60)


def moved(frame, speed=50.0):
    return tuple(np.add(BOX, (speed * frame / FPS, 0, speed * frame / FPS, 0)))


def test_a_gap_ends_a_span_and_begins_another():
    seen = [{1: BOX}, {1: BOX}, {}, {}, {1: BOX}, {1: BOX}, {1: BOX}]
    life = recorded([result(i, one) for i, one in enumerate(seen)]).tracks[1]
    assert life.spans == [[0, 1], [4, 6]]
    assert (life.begins, life.ends, life.seen) == (0, 6, 5)


def test_frames_that_were_skipped_make_no_gap():
    life = recorded([result(5 * i, {1: BOX}) for i in range(4)]).tracks[1]
    assert life.spans == [[0, 3]]


def test_embeddings_are_kept_with_what_they_told():
    frames = [result(i, {1: BOX, 2: BOX}, fresh=(1,) if i in (0, 3) else ()) for i in range(5)]
    told = {0: [look(1, like_9=0.8)], 3: [look(1, 0.7)]}
    lives = recorded(frames, looks=told).tracks
    assert lives[1].fresh == [0, 3]
    assert lives[1].similarity == [(3, 0.7)]
    assert lives[1].resembles == {9: 0.8}
    assert lives[2].fresh == []


def test_speed_is_that_of_the_last_boxes():
    frames = [result(i, {1: moved(i)}) for i in range(20)]
    assert recorded(frames).tracks[1].speed == pytest.approx([50, 0, 50, 0], abs=1e-3)
    once = recorded([result(0, {1: BOX})]).tracks[1]
    assert once.speed.tolist() == [0, 0, 0, 0]


def test_speed_is_not_measured_across_a_gap():
    far = tuple(np.add(BOX, 500))
    frames = [result(0, {1: BOX}), *(result(i, {}) for i in range(1, 10)), result(10, {1: far})]
    assert recorded(frames).tracks[1].speed.tolist() == [0, 0, 0, 0]


def test_a_track_is_one_from_its_tentative_frames_on():
    first, confirmed = result(0, {-7: BOX}, tentative=(-7,)), result(1, {1: BOX}, was={1: -7})
    tracks = recorded([first, confirmed, result(2, {1: BOX})]).tracks
    assert set(tracks) == {1}
    assert (tracks[1].track_id, tracks[1].begins, tracks[1].ends) == (1, 0, 2)


def test_who_was_never_confirmed_is_struck_out_once_gone():
    frames = [result(i, {1: BOX, 7: BOX}, tentative=(7,)) for i in range(3)]
    assert set(recorded(frames).tracks) == {1, 7}
    assert set(recorded([*frames, result(3, {1: BOX})]).tracks) == {1}


def test_the_clearest_box_is_large_and_not_shared():
    small, large, shared = (0, 0, 10, 20), (50, 0, 90, 80), (52, 0, 92, 80)
    assert rate_clarity(result(0, {1: small, 2: large}).tracks).argmax() == 1
    alone, crowded = rate_clarity(result(0, {2: large}).tracks), rate_clarity(
        result(0, {2: large, 3: shared}).tracks)  # fmt: skip
    assert alone[0] > crowded[0]
    assert rate_clarity(result(0, {1: large}).tracks, (10, 10))[0] == 0


def test_the_best_place_is_remembered():
    boxes = [(0, 0, 10, 20)] * 3 + [(0, 0, 40, 80)] * 3 + [(0, 0, 10, 20)] * 3
    life = recorded([result(i, {1: box}) for i, box in enumerate(boxes)]).tracks[1]
    row, box = life.best
    assert row in (3, 4, 5)
    assert box.tolist() == [0, 0, 40, 80]
