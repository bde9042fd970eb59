"""What a run learns of its embedder from the tracks that it is sure of.

People walk side by side and are embedded in every frame. Their looks are drawn: a vector of each
person, one that all people share, and noise. By the shares of these an embedder is good, narrow
(all cosines are near 1) or blind.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from helpers.film import Film
from helpers.situations import association, box
from mot_dinov3.tracking.calibration import ANCHOR_S
from mot_dinov3.tracking.evidence import ENOUGH_SAME
from mot_dinov3.values import SimilarityPrior

DIM = 32
GOOD, NARROW, BLIND = (1.0, 0.8, 0.35), (0.25, 1.0, 0.12), (0.02, 1.0, 0.3)
"""Lengths of what is of the person, of what all share, and of the noise."""

UNKNOWN = SimilarityPrior(gate=0.7, trusted=False)


def unit_rows(vectors):
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


class Crowd:
    """People whose looks an embedder of given shares sees."""

    def __init__(self, shares, people=5, seed=0):
        self.rng = np.random.default_rng(seed)
        self.own, self.all, self.noise = shares
        self.people = unit_rows(self.rng.normal(size=(people, DIM)))
        self.shared = unit_rows(self.rng.normal(size=(1, DIM)))

    def looks(self, *people):
        noise = unit_rows(self.rng.normal(size=(len(people), DIM)))
        mixed = self.own * self.people[list(people)] + self.all * self.shared + self.noise * noise
        return unit_rows(mixed)


def watched(shares, frames=90, prior=None, people=5, **settings):
    """A film of people side by side after so many frames, embedded in every one."""
    crowd = Crowd(shares, people)
    config = association(reid_similarity="auto", **settings)
    film = Film(config, prior=prior, dim=DIM)
    for step in range(frames):
        everybody = range(people)
        film(*[box(120 * k + step) for k in everybody], looks=crowd.looks(*everybody))
    return film, crowd


@pytest.mark.parametrize("shares", [GOOD, NARROW])
def test_the_gate_lies_between_strangers_and_the_same_person(shares):
    film, crowd = watched(shares)
    gate = film.scale.gate
    again, first = crowd.looks(*range(5)), crowd.looks(*range(5))
    cosines = again @ first.T
    strangers = cosines[~np.eye(5, dtype=bool)]
    assert gate > strangers.max()
    assert gate < np.diag(cosines).min()
    assert film.tracker.appearance.auc > 0.95


def test_a_fixed_gate_would_take_every_stranger_of_a_narrow_embedder():
    crowd = Crowd(NARROW)
    cosines = crowd.looks(*range(5)) @ crowd.looks(*range(5)).T
    assert (cosines > 0.7).all()


def test_an_embedder_that_cannot_tell_is_not_used_and_it_is_said():
    film, _ = watched(BLIND)
    assert not film.scale.lets_return
    assert not film.scale.tells_apart
    facts = film.tracker.appearance
    assert (facts.returns, facts.used) == (False, False)
    assert facts.auc < 0.75


def test_general_features_wait_for_pairs_of_the_run():
    frames = int(30 * ANCHOR_S[0]) - 5
    film, _ = watched(GOOD, frames, UNKNOWN)
    assert film.scale.gate == math.inf
    assert film.scale.tells_apart
    assert watched(GOOD, frames)[0].scale.lets_return  # a trusted one does not wait
    enough = frames + 10 + 30 * ENOUGH_SAME // 5
    assert watched(GOOD, enough, UNKNOWN)[0].scale.lets_return


def test_a_single_person_leaves_the_prior():
    film, _ = watched(GOOD, prior=SimilarityPrior(gate=0.81), people=1)
    assert film.scale.gate == pytest.approx(0.81)
    assert film.tracker.appearance is None


def test_a_gate_of_the_user_stays():
    crowd = Crowd(NARROW)
    film = Film(association(reid_similarity="0.8"), dim=DIM)
    for step in range(60):
        film(*[box(120 * k + step) for k in range(5)], looks=crowd.looks(*range(5)))
    assert film.scale.gate == pytest.approx(0.8)
    assert film.tracker.appearance is None


def test_two_boxes_of_one_person_are_no_strangers():
    crowd, film = Crowd(GOOD), Film(association(reid_similarity="auto"), dim=DIM)
    for step in range(90):
        rows = [box(step), box(step + 8), box(300 + step)]
        film(*rows, looks=crowd.looks(0, 0, 1))
    assert film.tracker.appearance.stranger < 0.6  # persons 0 and 1, and not 0 and 0


def test_memory_stays_bounded_when_people_come_and_go():
    crowd, film = Crowd(GOOD, people=40), Film(association(reid_similarity="auto"), dim=DIM)
    for step in range(400):
        first = step // 12
        who = range(first % 36, first % 36 + 3)
        film(*[box(150 * (k % 8)) for k in who], looks=crowd.looks(*who))
    calibration = film.tracker._calibration
    assert len(calibration._born_s) == len(film.tracker) == len(calibration._anchor)
