"""Lifecycles and identities, without any model."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.fakes import boxes
from mot_dinov3.config import AssociationConfig, TrackerConfig
from mot_dinov3.tracking.tracker import Tracker
from mot_dinov3.values import Detections, Embeddings, TrackState, follow_ids

FPS = 30.0
RED, BLUE = [1, 0, 0, 0], [0, 1, 0, 0]


class Film:
    """Feeds a tracker frame by frame."""

    def __init__(self, association=None, motion=None, **config):
        self.tracker = Tracker(TrackerConfig(**config), 0.3, association, motion)
        self.index = 0

    def __call__(self, *rows, looks=None, skip=0):
        """One frame of boxes; `looks` gives vectors, None for a box that was not embedded."""
        self.index += 1 + skip
        detections = boxes(*rows)
        embeddings = Embeddings.none(len(detections), 4)
        for row, look in enumerate(looks or []):
            if look is not None:
                embeddings.vectors[row] = look
                embeddings.fresh[row] = embeddings.valid[row] = True
        view = self.tracker.predict(self.index / FPS)
        scene = self.tracker.compare(detections, view)
        return self.tracker.update(scene, embeddings, view)


def person(x, y=100.0, score=0.9, class_id=0):
    return (x, y, x + 40, y + 100, score, class_id)


def seen(tracks):
    return {int(i): int(row) for i, row in zip(tracks.id, tracks.detection, strict=True)}


def test_ids_start_at_one_and_follow_a_moving_box():
    film = Film()
    for step in range(10):
        tracks = film(person(100 + 6 * step))
    assert tracks.id.tolist() == [1]
    assert tracks.state.tolist() == [TrackState.CONFIRMED]


def test_a_birth_is_tentative_until_it_is_seen_again():
    film = Film()
    film(person(0))
    assert film(person(0), person(300)).state.tolist() == [
        TrackState.CONFIRMED,
        TrackState.TENTATIVE,
    ]
    assert film(person(0), person(300)).state.tolist() == [TrackState.CONFIRMED] * 2


def test_a_tentative_track_that_is_missed_is_gone_and_leaves_no_gap_in_the_ids():
    film = Film()
    film(person(0))
    assert film(person(0), person(300)).id.tolist() == [1, -2]
    assert film(person(0)).id.tolist() == [1]
    assert film(person(0), person(500)).id.tolist() == [1, -3]
    assert film(person(0), person(500)).id.tolist() == [1, 2]


def test_the_frame_that_confirms_a_track_tells_the_id_it_had_before():
    film = Film()
    film(person(0))
    film(person(0), person(300), person(500))
    tracks = film(person(0), person(500), person(300))
    assert tracks.id.tolist() == [1, 2, 3]
    assert tracks.given_ids == {-2: 2, -3: 3}
    assert film(person(0), person(300), person(500)).given_ids == {}


def test_a_missed_track_is_lost_and_predicted_onward():
    film = Film()
    for step in range(12):
        film(person(100 + 6 * step))
    tracks = film()
    assert tracks.state.tolist() == [TrackState.LOST]
    assert tracks.detection.tolist() == [-1]
    assert tracks.xyxy[0, 0] == pytest.approx(100 + 6 * 12, abs=3)


def test_a_short_gap_keeps_the_identity_by_motion():
    film = Film()
    for step in range(12):
        film(person(100 + 6 * step))
    for _ in range(8):
        film()
    assert seen(film(person(100 + 6 * 20))) == {1: 0}


def test_every_gap_is_counted_from_its_own_beginning():
    film = Film(max_lost_s=0.5)
    for _ in range(5):
        film(person(100))
    for _ in range(3):
        for _ in range(10):
            film()
        assert seen(film(person(100))) == {1: 0}


def test_a_lost_track_dies_after_its_time():
    film = Film(max_lost_s=0.5)
    for _ in range(5):
        film(person(100))
    for _ in range(20):
        film()
    assert len(film.tracker) == 0
    film(person(100))
    assert film(person(100)).id.tolist() == [2]


@pytest.mark.parametrize(("gap_s", "same"), [(1.5, True), (2.0, False), (3600.0, False)])
def test_a_gap_without_frames_ages_tracks_like_one_with_empty_ones(gap_s, same):
    film = Film(max_lost_s=1.8)
    for _ in range(9):
        film(person(100))
    tracks = film(person(100), skip=int(gap_s * FPS))
    (identity,) = (i for i, row in seen(tracks).items() if row == 0)
    assert (identity == 1) == same


def test_nobody_is_lost_between_frames_that_are_always_far_apart():
    film = Film(max_lost_s=1.8)
    for _ in range(9):
        assert seen(film(person(100), skip=300)) == {1: 0}


def test_after_a_gap_the_look_decides_within_its_window():
    for gap_s, same in ((5.0, True), (30.0, False)):
        film = Film(max_lost_s=1.8, reid_s=10.0)
        for _ in range(9):
            film(person(100), looks=[RED])
        tracks = film(person(130), looks=[RED], skip=int(gap_s * FPS))
        (identity,) = (i for i, row in seen(tracks).items() if row == 0)
        assert (identity == 1) == same


def test_a_newcomer_that_outruns_its_prediction_is_still_itself():
    """At 10 fps a walking person moves more than half a box between the first two frames."""
    film = Film()
    film(person(100), skip=2)
    assert seen(film(person(128), skip=2)) == {1: 0}


def test_a_lost_track_needs_more_than_a_touch_to_be_found():
    film = Film(AssociationConfig(match_iou=0.3, growth=0.0, growth_per_s=0.0))
    for _ in range(5):
        film(person(100))
    film()
    assert 1 not in {i for i, row in seen(film(person(128))).items() if row == 0}


def test_the_time_step_comes_from_timestamps():
    """At 3 fps a box moves ten times as far between frames; the velocity has to know."""
    film = Film()
    for step in range(6):
        film(person(60 + 15 * step), skip=9)
    tracks = film(skip=9)
    assert tracks.xyxy[0, 0] == pytest.approx(60 + 15 * 6, abs=5)


def test_a_weak_detection_continues_a_track_but_starts_none():
    film = Film()
    for _ in range(3):
        film(person(100))
    tracks = film(person(102, score=0.15), person(400, score=0.15))
    assert seen(tracks) == {1: 0}
    assert tracks.score[0] == pytest.approx(0.15)


def test_look_decides_a_crossing_that_place_gets_wrong():
    def crossing(evidence):
        film = Film()
        for _ in range(5):
            film(person(110), person(130), looks=[RED, BLUE])
        swapped = film(person(118), person(122), looks=[BLUE, RED] if evidence else [None, None])
        return seen(swapped)

    assert crossing(evidence=True) == {1: 1, 2: 0}
    assert crossing(evidence=False) == {1: 0, 2: 1}


def test_a_lost_identity_returns_by_look_where_motion_allows_it():
    film = Film()
    for _ in range(5):
        film(person(100), looks=[RED])
    for _ in range(75):
        film()
    assert seen(film(person(260), looks=[RED])) == {1: 0}


@pytest.mark.parametrize(
    ("x", "look", "why"),
    [
        pytest.param(260, BLUE, "it looks different", id="another look"),
        pytest.param(5000, RED, "it is too far away", id="out of reach"),
        pytest.param(260, None, "there is no evidence", id="not embedded"),
    ],
)
def test_a_stranger_does_not_inherit_a_lost_identity(x, look, why):
    film = Film()
    for _ in range(5):
        film(person(100), looks=[RED])
    for _ in range(75):
        film()
    assert 1 not in seen(film(person(x), looks=[look])), why


def test_a_reused_vector_is_no_proof_of_identity():
    """A reused vector has cosine 1 with its own track by construction."""
    film = Film()
    for _ in range(5):
        film(person(110), person(130), looks=[RED, BLUE])
    detections = boxes(person(114), person(126))
    wrong = Embeddings(np.array([BLUE, RED], np.float32), np.zeros(2, bool), np.ones(2, bool))
    view = film.tracker.predict(6 / FPS)
    tracks = film.tracker.update(film.tracker.compare(detections, view), wrong, view)
    assert seen(tracks) == {1: 0, 2: 1}


def test_an_embedding_credits_the_track_that_was_matched():
    film = Film()
    for _ in range(3):
        film(person(100), person(400), looks=[RED, None])
    tracks = film(person(400), person(100), looks=[BLUE, None])
    assert dict(zip(tracks.id.tolist(), tracks.fresh.tolist(), strict=True)) == {1: False, 2: True}
    view = film.tracker.predict((film.index + 1) / FPS)
    assert view.staleness.tolist() == [2, 1]
    np.testing.assert_allclose(view.gallery.mean[1], BLUE, atol=1e-6)


def test_fresh_is_true_on_the_frame_of_birth():
    film = Film()
    assert film(person(100), person(300), looks=[RED, None]).fresh.tolist() == [True, False]


def test_a_track_does_not_jump_to_another_class():
    film = Film()
    for _ in range(3):
        film(person(100))
    tracks = film(person(120, class_id=1))
    assert seen(tracks)[1] == -1


def test_a_class_flicker_on_the_same_box_keeps_identity_and_class():
    film = Film()
    for _ in range(5):
        film(person(100))
    tracks = film(person(100, class_id=1))
    assert seen(tracks) == {1: 0}
    assert tracks.class_id.tolist() == [0]


def test_greedy_and_hungarian_agree_where_nothing_competes():
    for greedy in (True, False):
        film = Film(AssociationConfig(no_hungarian=greedy))
        for step in range(5):
            tracks = film(person(100 + step), person(300 - step))
        assert seen(tracks) == {1: 0, 2: 1}


def test_memory_does_not_grow_with_identities_that_are_gone():
    film = Film(max_lost_s=0.2, reid_s=0.2)
    for step in range(400):
        film(person((step // 4) * 500 % 7000), looks=[RED])
    assert film.tracker.initiated >= 90
    assert len(film.tracker) <= 6
    assert len(film.tracker._gallery) == len(film.tracker._motion.model) == len(film.tracker)


frames = st.lists(
    st.lists(
        st.tuples(
            st.integers(0, 600),
            st.integers(0, 400),
            st.sampled_from([0.15, 0.5, 0.9]),
            st.integers(0, 1),
            st.booleans(),
        ),
        max_size=5,
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=60)
@given(frames)
def test_the_state_machine_holds_for_any_input(film_frames):
    film, known, last_state = Film(max_lost_s=0.1, reid_s=0.1), set(), {}
    for frame in film_frames:
        rows = [person(x, y, score, cls) for x, y, score, cls, _ in frame]
        tracks = film(*rows, looks=[RED if embedded else None for *_, embedded in frame])
        ids = tracks.id.tolist()
        assert len(set(ids)) == len(ids)
        born = {i for i in ids if i > 0} - known
        assert all(i > max(known, default=0) for i in born)
        known |= born
        follow_ids(last_state, tracks)
        used = tracks.detection[tracks.detection >= 0].tolist()
        assert len(set(used)) == len(used)
        for i, state, row in zip(ids, tracks.state, tracks.detection, strict=True):
            assert (state == TrackState.LOST) == (row < 0)
            was = last_state.get(i)
            assert not (was == TrackState.CONFIRMED and state == TrackState.TENTATIVE)
            assert not (was == TrackState.TENTATIVE and state == TrackState.LOST)
            last_state[i] = state
    assert film.tracker.confirmed == max(known, default=0)


def test_no_detections_ever_is_fine():
    film = Film()
    for _ in range(3):
        assert len(film()) == 0
    assert isinstance(Detections.empty(), Detections)


def test_a_poor_crop_is_compared_but_not_remembered():
    film = Film()
    for _ in range(3):
        film(person(0), looks=[RED])
    view = film.tracker.predict(4 / FPS)
    scene = film.tracker.compare(boxes(person(0)), view)
    blue, yes = np.array([BLUE], np.float32), np.ones(1, bool)
    tracks = film.tracker.update(scene, Embeddings(blue, yes, yes, np.array([0])), view)
    assert tracks.fresh.tolist() == [True]
    assert view.gallery.count.tolist() == [3]
    assert view.gallery.mean[0].tolist() == RED
    assert view.staleness.tolist() == [0]
