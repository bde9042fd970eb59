"""What the settings of births, motion and camera do to identities, one by one."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.fakes import boxes
from helpers.film import FPS, Film
from helpers.situations import BLUE, RED, association, box, motion
from mot_dinov3.values import TrackState


def street(n, step=0.0, size=40):
    """`n` people side by side, closer than a camera's jump, all walking to the right."""
    return [box(60 * k + step, 100 + 13 * (k % 3), size, 100) for k in range(n)]


def pan(px):
    return np.array([[1.0, 0, px], [0, 1.0, 0]])


@pytest.mark.parametrize("speed", [20, -45])
def test_the_right_camera_motion_keeps_ids_and_none_loses_them(speed):
    def panned(told):
        film, ids = Film(), []
        for step in range(20):
            far = speed * max(0, step - 9)
            camera = pan(speed if step > 9 else 0) if told else None
            ids.append(film(*street(6, far + 2 * step, size=30), camera=camera))
        return ids[-1]

    assert panned(told=True) == [1, 2, 3, 4, 5, 6]
    assert panned(told=False) != [1, 2, 3, 4, 5, 6]


def test_the_wrong_camera_motion_loses_ids():
    film = Film()
    for _ in range(5):
        film(*street(4))
    assert film(*street(4), camera=pan(35)) != [1, 2, 3, 4]


def test_a_zoom_carries_sizes_too():
    film = Film()
    for _ in range(5):
        film(box(100), box(300))
    zoom = np.array([[2.0, 0, 0], [0, 2.0, 0]])
    larger = [(2 * a, 2 * b, 2 * c, 2 * d) for a, b, c, d in (box(100), box(300))]
    assert film(*larger, camera=zoom) == [1, 2]
    assert Film()(*larger, camera=zoom) == [1, 2], "a camera that moves before anybody is there"


def test_the_direction_of_motion_turns_with_the_camera():
    """Momentum looks at sightings, and they are carried along with the picture."""
    film = Film(association(momentum=0.2, momentum_s=0.1))
    for step in range(8):
        film(box(100 + 4 * step))
    camera = pan(-30)
    view = film.tracker.predict(film.index / FPS + 1 / FPS, None, camera)
    earlier, known = view.trajectory.earlier(0.1)
    assert known.all()
    assert earlier[0, 0] == pytest.approx(120 + 4 * 4 - 30)
    assert view.trajectory.last[0, 0] == pytest.approx(120 + 4 * 7 - 30)


@pytest.mark.parametrize("steady", [True, False])
def test_a_jump_that_all_share_is_the_cameras_when_steady(steady):
    film = Film(motion_=motion(steady=steady))
    for step in range(8):
        film(*street(6, 2 * step))
    kept = film(*street(6, 2 * 8 + 24)) == [1, 2, 3, 4, 5, 6]
    assert kept is steady


def test_steady_leaves_a_lone_runner_alone():
    """He starts running where five others stand; his prediction is not held back, nor theirs."""
    film = Film(motion_=motion(steady=True))
    far = 0.0
    for step in range(16):
        far += min(step, 9)
        ids = film(*street(5), box(30 + far, 400))
    assert ids == [1, 2, 3, 4, 5, 6]
    still = film.tracker.predict(1.0).xyxy[:5, 0]
    np.testing.assert_allclose(still, [0, 60, 120, 180, 240], atol=0.5)


def test_sightings_are_carried_along_with_a_jump_that_all_share():
    film = Film(association(momentum=0.2), motion(steady=True))
    for _ in range(8):
        film(*street(6))
    view = film.tracker.predict((film.index + 1) / FPS, boxes(*street(6, 15)))
    np.testing.assert_allclose(
        view.trajectory.last[:, 0], [35 + 60.0 * k for k in range(6)], atol=1
    )


def test_sightings_are_kept_only_where_something_looks_back():
    for film, kept in (
        (Film(), False),
        (Film(association(momentum=0.2)), True),
        (Film(motion_=motion(re_update=True)), True),
    ):
        film(*street(2))
        view = film.tracker.predict(1.0)
        assert (view.trajectory is not None) == kept


def test_weak_detections_do_not_vote_on_the_camera():
    film = Film(association(low_match_iou=1.0), motion(steady=True))
    for _ in range(8):
        film(*street(6))
    film(*[(*place, 0.1) for place in street(6, 12)])
    np.testing.assert_allclose(film.tracks.xyxy[:, 0], [60.0 * k for k in range(6)], atol=1)


def test_no_birth_over_a_seen_track():
    twice = box(100), box(104)
    for limit, tracks in ((1.0, 2), (0.7, 1), (0.9, 2)):
        film = Film(birth_iou=limit)
        film(box(100))
        film(*twice)
        assert len(film.tracks) == tracks, limit


def test_a_birth_over_a_lost_track_is_a_birth():
    """Nobody was seen there; the newcomer is somebody else for all that place can tell."""
    film = Film(association(match_iou=0.9), birth_iou=0.3)
    for _ in range(3):
        film(box(100))
    film()
    film(box(112))
    assert film(box(112)) == [2]


@pytest.mark.parametrize(
    ("strong_share", "birth_share", "score", "born"),
    [
        (0.0, 1.0, 0.5, True),
        (0.7, 1.0, 0.5, False),
        (0.7, 0.7, 0.5, True),
        (0.7, 1.0, 0.7, True),
        (0.7, 1.3, 0.7, False),
    ],
)
def test_who_is_weak_for_this_detector_starts_no_track(strong_share, birth_share, score, born):
    """Where 0.9 is usual, strong begins at 0.63."""
    film = Film(strong_share=strong_share, birth_share=birth_share)
    for _ in range(10):
        film(*street(4))
    rows = [*street(4), (*box(600), score)]
    film(*rows)
    assert (film(*rows)[4] != -1) is born


def test_what_is_usual_is_learned_from_the_video():
    film = Film(strong_share=0.7)
    modest = [(*place, 0.5) for place in street(4)]
    for _ in range(10):
        film(*modest)
    rows = [*modest, (*box(600), 0.45)]
    film(*rows)
    assert film(*rows)[4] > 0


def test_a_detection_that_is_weak_here_still_continues_its_track():
    film = Film(strong_share=0.7)
    for _ in range(10):
        film(*street(4))
    assert film(*street(3), (*street(4)[3], 0.5)) == [1, 2, 3, 4]


def a_second_after_turning_back(re_update):
    """Walks right, is hidden for a second, comes back walking left; how far off is it expected?"""
    film = Film(
        association(growth_per_s=2.0, growth_limit=3.0, match_iou=0.05),
        motion(re_update=re_update),
        max_lost_s=3.0,
    )
    for step in range(20):
        film(box(500 + 2 * step))
    for _ in range(30):
        film()
    assert film(box(538 - 2 * 31)) == [1]
    expected = film.tracker.predict(film.index / FPS + 1.0).xyxy[0, 0]
    return abs(expected - (538 - 2 * 31 - 2 * 30))


def test_a_filter_that_was_re_updated_goes_the_right_way():
    assert a_second_after_turning_back(re_update=True) < 8
    assert a_second_after_turning_back(re_update=False) > 20


def test_damping_stops_who_is_not_seen():
    ends = {}
    for damping in (1.0, 0.8):
        film = Film(motion_=motion(damping=damping))
        for step in range(15):
            film(box(100 + 6 * step))
        for _ in range(20):
            film()
        ends[damping] = float(film.tracks.xyxy[0, 0])
    assert ends[1.0] == pytest.approx(100 + 6 * 34, abs=6)
    assert ends[0.8] == pytest.approx(184 + 6 * (1 + 0.8 / 0.2), abs=8)


def test_a_returned_stranger_starts_with_a_fresh_filter():
    """Lost longer than its place means anything, it returns by looks, elsewhere, at rest."""
    film = Film(max_lost_s=0.5, reid_s=5.0)
    for step in range(15):
        film(box(100 + 6 * step), looks=[RED])
    for _ in range(30):
        film()
    assert film(box(400), looks=[RED]) == [1]
    view = film.tracker.predict((film.index + 1) / FPS)
    assert view.xyxy[0, 0] == pytest.approx(400)


def test_min_hits_is_the_number_of_sightings_to_be_confirmed():
    for needed in (1, 2, 4):
        film = Film(min_hits=needed)
        film(box(900))
        states = []
        for _ in range(5):
            film(box(900), box(100))
            states.append(int(film.tracks.state[1]))
        assert states.index(TrackState.CONFIRMED) + 1 == needed


def test_who_was_confirmed_comes_back_confirmed_however_many_hits_births_need():
    film = Film(min_hits=5, max_lost_s=1.0)
    film(box(100, 100))
    assert film.tracks.state.tolist() == [TrackState.CONFIRMED]
    film()
    assert film.tracks.state.tolist() == [TrackState.LOST]
    assert film(box(100, 100)) == [1]
    assert film.tracks.state.tolist() == [TrackState.CONFIRMED]
    assert film.tracker.confirmed == 1


def test_background_that_looks_like_a_person_who_left_does_not_take_the_number():
    def after_he_left(score):
        film = Film(strong_share=0.68, birth_share=1.1)
        for step in range(30):
            film((*box(100 + step), 0.9), (*box(400), 0.9), looks=[RED, BLUE])
        for _ in range(20):
            film((*box(400), 0.9), looks=[BLUE])
        twin = [0.8, 0.0, 0.6, 0]
        return film((*box(400), 0.9), (*box(240), score), looks=[BLUE, twin])[1]

    assert after_he_left(0.37) == -1
    assert after_he_left(0.9) == 1
