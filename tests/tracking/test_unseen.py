"""Tracks through frames without detections of them: coasted, carried, listed, compared."""

from __future__ import annotations

import math

import numpy as np
import pytest

from helpers.fakes import boxes
from helpers.film import Film
from helpers.situations import BLUE, PLAIN_SCALE, RED, motion, unit
from mot_dinov3.commands.flags import resolve
from mot_dinov3.config import TrackConfig
from mot_dinov3.config.presets import preset
from mot_dinov3.tracking.appearance_scale import AppearanceScale
from mot_dinov3.tracking.tracker import Tracker
from mot_dinov3.tracking.unseen import UnseenTracks
from mot_dinov3.values import CONFIRMED, LOST, SEARCHED, TENTATIVE, Embeddings

FPS = 30.0
STEP_PX = 6


def person(x, y=100.0, score=0.9):
    return (x, y, x + 40, y + 100, score)


def walked(step):
    return person(100 + STEP_PX * step)


class Walk(Film):
    """A film that may also leave out the detector."""

    def coast(self):
        self.index += 1
        self.tracker.predict(self.index / FPS)
        return self.tracker.coast()

    def carry(self, tracks, rows, *places, score=0.8):
        found = np.array([place[:4] for place in places], np.float32)
        sure = np.full(len(rows), score, np.float32)
        return self.tracker.unseen.carry(tracks, np.array(rows), found, sure)

    def search(self, *places):
        """A frame without detections in which all tracks are found in `places`."""
        return self.carry(self.coast(), range(len(places)), *places)

    @property
    def table(self):
        return self.tracker._table


def walking(frames=10, **settings):
    film = Walk(**settings)
    for step in range(frames):
        film(walked(step))
    return film


def test_a_track_that_is_carried_keeps_its_id_and_is_searched_meanwhile():
    film = walking()
    for step in range(10, 20):
        tracks = film.search(walked(step))
        assert tracks.id.tolist() == [1]
        assert tracks.state.tolist() == [SEARCHED]
        assert tracks.detection.tolist() == [-1]
        assert not tracks.present.any()
        assert tracks.placed.all()
        assert tracks.xyxy[0, 0] == pytest.approx(walked(step)[0], abs=2)
    assert film(walked(20)) == [1]
    assert film.tracks.state.tolist() == [CONFIRMED]


def test_the_motion_model_learns_from_what_was_found():
    """Who turns back while only a searcher sees it is expected where it was found."""
    turned, blind = walking(), walking()
    for step in range(10, 30):
        tracks = turned.search(walked(20 - step))
        blind.coast()
    assert tracks.xyxy[0, 0] == pytest.approx(walked(-9)[0], abs=3)
    assert turned(walked(-10)) == [1]
    assert blind(walked(-10)) != [1]


def test_misses_count_frames_without_a_detection_and_hits_do_not_grow():
    film = walking()
    for step in range(10, 15):
        film.search(walked(step))
    assert film.table.misses.tolist() == [5]
    assert film.table.hits.tolist() == [10]
    assert film.table.lost_s.tolist() == [0]
    film(walked(15))
    assert film.table.misses.tolist() == [0]


def test_a_track_that_is_only_coasted_looks_lost_and_is_as_it_was_in_the_next_frame():
    film = walking()
    tracks = film.coast()
    assert tracks.state.tolist() == [LOST]
    assert film.table.state.tolist() == [CONFIRMED]
    assert tracks.xyxy[0, 0] == pytest.approx(walked(10)[0], abs=1.5)
    assert film(walked(11)) == [1]
    assert film.table.state.tolist() == [CONFIRMED]


def test_a_frame_that_is_coasted_has_nothing_fresh_and_nothing_new():
    film = Walk()
    film(walked(0), person(400), looks=[RED, None])
    film(walked(1), person(400), person(500), looks=[RED, None, None])
    film(walked(2), person(400), person(500))
    assert film.tracks.given_ids
    tracks = film.coast()
    assert not tracks.fresh.any()
    assert not tracks.given_ids
    assert (tracks.detection == -1).all()


def test_tentative_tracks_wait_for_the_next_detection():
    film = walking()
    film(walked(10), person(400))
    for step in range(11, 15):
        tracks = film.search(walked(step), person(400))
        assert tracks.state.tolist() == [SEARCHED, TENTATIVE]
        assert tracks.id[1] < 0
    assert film(walked(15), person(400)) == [1, 2]
    film = walking()
    film(walked(10), person(400))
    film.coast()
    assert film(walked(12), person(400)) == [1, 2]


def test_a_lost_track_that_is_found_is_alive_again():
    film = walking()
    film()
    assert film.tracks.state.tolist() == [LOST]
    tracks = film.carry(film.tracks, [0], walked(10))
    assert tracks.state.tolist() == [SEARCHED]
    assert film.table.state.tolist() == [CONFIRMED]
    assert film.table.misses.tolist() == [1]
    for step in range(11, 100):
        film()
        film.carry(film.tracks, [0], walked(step))
    assert film(walked(100)) == [1], "it never was lost for long"


def test_what_is_not_found_for_too_long_is_not_shown():
    film = walking(max_lost_s=0.5)
    shown = [len(film.coast()) for _ in range(30)]
    assert shown[0] == 1
    assert shown[-1] == 0


def test_what_was_seen_last_is_listed_first():
    film = Walk()
    for step in range(5):
        film(person(400), walked(step), person(600))
    film(walked(5), person(600))
    film(walked(6))
    film(person(600))
    rows = film.tracker.unseen.list_targets(film.tracks, 15)
    assert film.tracks.id[rows].tolist() == [2, 1]
    assert film.tracker.unseen.list_targets(film.tracks, 2).tolist() == [1]
    assert film.tracker.unseen.list_targets(film.tracks, 0).tolist() == []
    tracks = film.coast()
    rows = film.tracker.unseen.list_targets(tracks, 0)
    assert tracks.id[rows].tolist() == [3], "what is not lost is looked for in any case"


@pytest.mark.parametrize(("score", "listed"), [(0.15, []), (0.9, [0])])
def test_a_track_that_weak_detections_kept_alive_is_not_rescued(score, listed):
    film = Walk(strong_share=0.7)
    for step in range(9):
        film(walked(step))
    film(person(100 + STEP_PX * 9, score=score))
    film()
    assert film.tracks.state.tolist() == [LOST]
    assert film.tracker.unseen.list_targets(film.tracks, 15).tolist() == listed


def test_rows_are_those_of_the_tracks_that_are_shown():
    """The first track was lost too long ago to be shown, but its look keeps it in the table."""
    film = Walk(max_lost_s=0.3, reid_s=60.0)
    for _ in range(5):
        film(person(600), walked(0), person(300), looks=[RED, None, None])
    for _ in range(20):
        film(walked(0), person(300))
    tracks = film.coast()
    assert (len(film.table), tracks.id.tolist()) == (3, [2, 3])
    tracks = film.carry(tracks, [1], person(306))
    assert tracks.state.tolist() == [LOST, SEARCHED]
    assert film.tracker.boxes[2, 0] == pytest.approx(304, abs=3)
    assert film.tracker.boxes[0, 0] == pytest.approx(600, abs=1)
    assert film.table.lost_s[2] == 0


def test_a_track_that_is_not_found_is_trusted_where_it_is_expected_inside():
    film = Walk()
    for step in range(5):
        film(walked(step), person(400))
    film(walked(5), person(400), person(550))
    film(walked(6), person(550))
    tracks = film.coast()
    assert film.table.state.tolist() == [CONFIRMED, LOST, CONFIRMED]
    before = film.tracker.boxes.copy()
    trusted = film.tracker.unseen.trust(tracks, np.array([True, True, False]))
    assert trusted.state.tolist() == [SEARCHED, LOST, LOST]
    np.testing.assert_array_equal(film.tracker.boxes, before)
    assert film.table.lost_s[0] > 0, "it is still not found"
    film = walking()
    film(walked(10), person(400))
    waiting = film.tracker.unseen.trust(film.coast(), np.ones(2, bool))
    assert waiting.state.tolist() == [SEARCHED, TENTATIVE]


def looked_at():
    film = Walk()
    for step in range(10):
        film(walked(step), person(400), looks=[RED, None])
    return film


def test_looks_are_compared_with_what_is_remembered_and_say_nothing_where_that_is_nothing():
    film = looked_at()
    tracks = film.coast()
    compare = film.tracker.unseen.compare
    both = np.concatenate([unit(RED), unit(BLUE)])
    alike = compare(tracks, np.array([0, 1]), both)
    assert alike[0] > 0
    assert np.isnan(alike[1])
    alike = compare(tracks, np.array([1, 0]), both)
    assert np.isnan(alike[0])
    assert alike[1] < 0
    assert len(compare(tracks, np.array([], np.int64), np.zeros((0, 4), np.float32))) == 0


def test_an_embedder_that_tells_nothing_apart_says_nothing():
    film = looked_at()
    tracks, tracker = film.coast(), film.tracker
    parts = (tracker._table, tracker._motion, tracker._gallery)
    blind = UnseenTracks(*parts, AppearanceScale(gate=math.inf), 0.3)
    assert np.isnan(blind.compare(tracks, np.array([0]), unit(BLUE))).all()
    alike = UnseenTracks(*parts, PLAIN_SCALE, 0.3).compare(tracks, np.array([0]), unit(BLUE))
    assert alike < 0


def oc_sort():
    return resolve(TrackConfig, preset("ocsort") | {"source": ["a.mp4"]})


def test_a_re_update_still_leads_from_detection_to_detection_after_carrying():
    """OC-SORT: what was found in between is taken back, and the straight path put in its place."""
    config = oc_sort()
    assert config.motion.re_update

    def gone_through(find):
        tracker = Tracker.of(config)

        def step(index, *rows):
            detections = boxes(*rows)
            view = tracker.predict(index / FPS, detections)
            nothing = Embeddings.none(len(detections), 4)
            return tracker.update(tracker.compare(detections, view), nothing, view)

        for index in range(10):
            step(index, walked(index))
        for index in range(10, 16):
            tracker.predict(index / FPS)
            tracks = tracker.coast()
            if find:
                place = np.array([walked(index)[:4]], np.float32) + 3
                tracker.unseen.carry(tracks, np.array([0]), place, np.ones(1, np.float32))
        tracks = step(16, walked(16))
        return tracks.id.tolist(), tracker.boxes[0]

    (ids, found), (_, coasted) = gone_through(find=True), gone_through(find=False)
    assert ids == [1]
    np.testing.assert_allclose(found, coasted, atol=1e-3)
    assert found[0] == pytest.approx(walked(16)[0], abs=1.5)


def test_without_tracks_nothing_is_coasted_listed_or_carried():
    film = Walk(motion_=motion())
    tracks = film.coast()
    assert len(tracks) == 0
    unseen = film.tracker.unseen
    assert len(unseen.list_targets(tracks, 15)) == 0
    none = np.zeros(0, np.int64)
    nothing = np.zeros((0, 4), np.float32), np.zeros(0, np.float32)
    assert len(unseen.carry(tracks, none, *nothing)) == 0
    assert film(walked(0)) == [1], "the first detection is still sure of itself"
