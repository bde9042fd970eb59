"""Two persons meet and turn back: motion takes each for the other, and their looks tell."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.fakes import boxes
from mot_dinov3.config import TrackerConfig
from mot_dinov3.tracking.arbitration import CROPS, KNOWN, MOST_S, UNLIKE, Arbiter
from mot_dinov3.tracking.gallery import Gallery
from mot_dinov3.tracking.track_table import TrackTable
from mot_dinov3.tracking.tracker import Tracker
from mot_dinov3.values import CONFIRMED, Embeddings

FPS = 30.0
LOOKS = np.eye(4, dtype=np.float32)[:3]
RED, BLUE, GREEN = LOOKS


class Film:
    """Feeds a tracker, and remembers what it said of the last frame."""

    def __init__(self, arbitrate=True):
        self.tracker = Tracker(TrackerConfig(arbitrate=arbitrate), 0.3)
        self.index = 0

    def __call__(self, *xs, looks=(), poor=()):
        """One frame of persons at `xs`; `looks` are vectors of the first ones, None for none."""
        self.index += 1
        detections = boxes(*((x, 100, x + 40, 200, 0.9, 0) for x in xs))
        known = [row for row, look in enumerate(looks) if look is not None]
        vectors = np.zeros((len(xs), 4), np.float32)
        vectors[known] = [looks[row] for row in known] if known else vectors[known]
        fresh = np.isin(np.arange(len(xs)), known)
        embeddings = Embeddings(vectors, fresh, fresh, np.array(poor, np.int64))
        self.view = self.tracker.predict(self.index / FPS)
        scene = self.tracker.compare(detections, self.view)
        tracks = self.tracker.update(scene, embeddings, self.view)
        self.ids = [int(tracks.id[tracks.detection == row][0]) for row in range(len(xs))]
        return self.ids

    def waiting(self):
        """Ids that the last prediction says a crop is wanted of."""
        return set(self.view.id[self.view.disputed].tolist())


def meet(film, looks=(RED, BLUE), *, back=True):
    """They walk up to each other and, with `back`, turn round; embedded only as they come."""
    for step in range(12):
        assert film(100 + 8 * step, 320 - 8 * step, looks=looks) == [1, 2]
    for step in range(3):
        film(196 + 6 * step, 224 - 6 * step)
    film(210)
    film(210)
    first = (206, 214) if back else (214, 206)
    sign = 1 if back else -1
    for step in range(7):
        film(first[0] - 8 * step * sign, first[1] + 8 * step * sign)
    return first[0] - 56 * sign, first[1] + 56 * sign


def part(film, place, looks, frames=CROPS, **more):
    for step in range(frames):
        film(place[0] - 2 * step, place[1] + 2 * step, looks=looks, **more)
    return film.ids


def swapped(**more):
    """A film in which the tracker took each of two for the other."""
    film = Film(**more)
    place = meet(film)
    assert film.ids == [2, 1], "the scene should deceive the tracker"
    return film, place


def test_without_arbitration_they_go_on_with_each_others_number():
    film, place = swapped(arbitrate=False)
    assert part(film, place, (RED, BLUE), frames=30) == [2, 1]
    assert not film.waiting()


def test_who_changed_places_get_their_numbers_back():
    film, place = swapped()
    assert part(film, place, (RED, BLUE), frames=CROPS - 1) == [2, 1]
    assert part(film, place, (RED, BLUE), frames=1) == [1, 2]
    assert part(film, place, (RED, BLUE), frames=30) == [1, 2]


def test_the_numbers_take_their_memories_along():
    film, place = swapped()
    part(film, place, (RED, BLUE))
    view = film.tracker.predict((film.index + 1) / FPS)
    mean = {int(i): view.gallery.mean[row] for row, i in enumerate(view.id)}
    np.testing.assert_allclose(mean[1], RED, atol=1e-6)
    np.testing.assert_allclose(mean[2], BLUE, atol=1e-6)


def test_who_passed_each_other_keep_their_numbers():
    film = Film()
    place = meet(film, back=False)
    assert film.ids == [1, 2]
    place = place[::-1]
    for step in range(20):
        assert film(place[0] - 2 * step, place[1] + 2 * step, looks=(BLUE, RED)) == [2, 1]


@pytest.mark.parametrize(
    ("looks", "poor"),
    [
        pytest.param((RED, None), (), id="one of the two alone"),
        pytest.param((RED, BLUE), (0, 1), id="bad crops"),
        pytest.param((GREEN, GREEN), (), id="neither looks like either"),
    ],
)
def test_without_good_evidence_nothing_is_exchanged(looks, poor):
    film, place = swapped()
    assert part(film, place, looks, poor=poor) == [2, 1]


def test_evidence_that_comes_late_is_of_another_moment():
    film, place = swapped()
    for _ in range(int(MOST_S * FPS)):
        film(*place)
    assert not film.waiting()
    for _ in range(CROPS + 1):
        assert film(*place, looks=(RED, BLUE)) == [2, 1]


def test_those_who_look_alike_are_no_case():
    like_red = np.array([1 - UNLIKE / 2, np.sqrt(1 - (1 - UNLIKE / 2) ** 2), 0, 0])
    film = Film()
    place = meet(film, looks=(RED, like_red))
    before = film.ids
    assert part(film, place, (like_red, RED)) == before
    assert not film.waiting()


def test_those_who_are_barely_known_are_no_case():
    film = Film()
    film(100, 320, looks=(RED, BLUE))
    film(100, 320, looks=(RED, BLUE))
    for step in range(1, 12):
        film(100 + 8 * step, 320 - 8 * step)
    film(196, 224)
    film(210)
    for step in range(7):
        film(206 - 8 * step, 214 + 8 * step)
    assert not film.waiting()


def test_a_crop_of_each_is_wanted_and_more_only_where_the_first_leave_doubt():
    film, place = swapped()
    part(film, place, (), frames=1)
    assert film.waiting() == {1, 2}
    part(film, place, (RED, None), frames=2)
    assert film.waiting() == {1}
    part(film, place, (RED, BLUE), frames=2)
    assert film.waiting() == {1, 2}
    part(film, place, (RED, BLUE), frames=CROPS)
    assert not film.waiting()

    film = Film()
    place = meet(film, back=False)[::-1]
    part(film, place, (), frames=1)
    assert film.waiting() == {1, 2}
    part(film, place, (BLUE, RED), frames=2)
    assert not film.waiting()


def test_nothing_is_wanted_while_they_overlap():
    film = Film()
    for step in range(12):
        film(100 + 8 * step, 320 - 8 * step, looks=(RED, BLUE))
    for _ in range(4):
        film(196, 224)
        assert not film.waiting()


def test_what_the_crossing_added_to_the_galleries_is_no_evidence():
    """Crops of both at once make the galleries alike; those of before are what counts."""
    film = Film()
    mixed = (RED + BLUE) / np.sqrt(2)
    for step in range(12):
        film(100 + 8 * step, 320 - 8 * step, looks=(RED, BLUE))
    for step in range(3):
        film(196 + 6 * step, 224 - 6 * step, looks=(mixed, mixed))
    film(210, looks=(mixed,))
    film(210, looks=(mixed,))
    for step in range(7):
        film(206 - 8 * step, 214 + 8 * step)
    wrong = film.ids
    assert part(film, (150, 270), (RED, BLUE)) == [1, 2] != wrong


@pytest.fixture
def three():
    """Three tracks that have just overlapped: arbiter, table, gallery, and where they are."""
    table, gallery, arbiter = TrackTable(), Gallery(), Arbiter()
    ids, rows = np.arange(1, 4), np.arange(3)
    table.initiate(ids, np.zeros(3, np.int64), np.ones(3, np.float32), CONFIRMED, rows)
    gallery.extend(3)
    for _ in range(KNOWN):
        gallery.add(rows, LOOKS)
    near = np.array([[x, 0, x + 40, 100] for x in (0, 8, 16)], np.float32)
    arbiter.open_cases(table, near, gallery, 0.0, 1.0)
    arbiter.settle(table, near, gallery, Embeddings.none(3, 4), 0.0)
    return arbiter, table, gallery, near


def show(three, offsets, looks, frames):
    """Some frames with the three moved aside and embedded."""
    arbiter, table, gallery, near = three
    known = np.ones(3, np.bool_)
    xyxy = near + np.outer(offsets, [1, 0, 1, 0]).astype(np.float32)
    for frame in range(1, frames + 1):
        arbiter.open_cases(table, xyxy, gallery, frame / FPS, 1.0)
        arbiter.settle(table, xyxy, gallery, Embeddings(looks, known, known), frame / FPS)


def test_three_in_a_ring_are_settled_two_at_a_time(three):
    arbiter, table, gallery, _ = three
    looks = LOOKS[[1, 2, 0]]  # track 1 is followed by the person of track 2, and so on
    show(three, (0, 100, 200), looks, CROPS + 2)
    assert table.id.tolist() == [2, 3, 1]
    np.testing.assert_allclose(gallery.mean, looks, atol=1e-6)
    assert not arbiter.waiting


def test_a_crop_with_a_third_one_in_it_is_no_evidence(three):
    arbiter, table, *_ = three
    show(three, (0, 100, 100), LOOKS[[1, 0, 2]], CROPS)
    assert table.id.tolist() == [1, 2, 3]
    assert not arbiter.waiting
