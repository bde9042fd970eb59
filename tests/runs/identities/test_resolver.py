"""Which tracks are known identities: enough alike, no doubt, and never two at once."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.identities import frame, look
from mot_dinov3.io.formats.identity_gallery import IdentityGallery, KnownIdentity
from mot_dinov3.runs.identities.book import IdentityBook, IdentityRule
from mot_dinov3.runs.identities.resolver import ENOUGH, IdentityResolver

RULE = IdentityRule(0.7, 0.05)
NAMES = {0: "person", 1: "car"}


def gallery(*angles, class_name="person"):
    known = [
        KnownIdentity(i, f"n{i}", class_name, "", 0.0, np.stack([look(a)]))
        for i, a in enumerate(angles, 1)
    ]
    return IdentityGallery("e", "f", len(known) + 1, {one.id: one for one in known})


def resolved(known, *stretches, rule=RULE):
    """Observe stretches of frames, each with tracks (id -> angle) and a number of frames."""
    out, index = IdentityResolver(known, rule, NAMES), 0
    for seen, frames in stretches:
        for _ in range(frames):
            out.observe(frame(index, seen))
            index += 1
    out.finish()
    return {number: found.id for number, found in out.found.items()}


def test_a_track_that_looks_like_one_identity_is_it():
    assert resolved(gallery(0, 90), ({11: 5}, 9)) == {11: 1}


@pytest.mark.parametrize(
    ("known", "seen"),
    [
        pytest.param(gallery(0, 90), {11: 47}, id="it is far from both"),
        pytest.param(gallery(0, 20), {11: 10}, id="two identities are as much alike"),
        pytest.param(gallery(0, class_name="car"), {11: 0}, id="the identity is of another class"),
        pytest.param(gallery(), {11: 0}, id="the gallery is empty"),
    ],
)
def test_what_is_in_doubt_stays_unknown(known, seen):
    assert resolved(known, (seen, 12)) == {}


def test_less_than_enough_embeddings_decide_nothing():
    assert resolved(gallery(0), ({11: 0}, ENOUGH - 1)) == {}


def test_of_two_tracks_at_once_only_the_one_that_is_more_alike_gets_the_identity():
    assert resolved(gallery(0), ({11: 30, 12: 2}, 12)) == {12: 1}
    assert resolved(gallery(0), ({11: 2}, 9), ({11: 2, 12: 0}, 9)) == {11: 1}


def test_a_track_that_was_seen_beside_another_one_cannot_return_as_that():
    """13 comes after 11 and is like it, but so is 12, which was there with both."""
    assert resolved(gallery(), ({11: 0}, 9), ({}, 1), ({13: 1}, 9)) == {13: 11}
    assert resolved(gallery(), ({11: 0, 13: 90}, 9), ({13: 1}, 9)) == {}


def test_the_gate_is_kept_as_it_is_given():
    assert resolved(gallery(0), ({11: 40}, 9), rule=IdentityRule(0.8, 0.05)) == {}
    assert resolved(gallery(0), ({11: 30}, 9), rule=IdentityRule(0.8, 0.05)) == {11: 1}


def test_many_identities_are_compared_at_once():
    vectors = np.random.default_rng(0).normal(size=(300, 32)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    book = IdentityBook([KnownIdentity(i, "", "person", "", 0.0, vectors[i : i + 1])
                         for i in range(1, 300)])  # fmt: skip
    found = book.find(vectors[123:124], "person", (), RULE)
    assert (found.id, round(found.similarity, 4)) == (123, 1.0)
    assert book.find(vectors[123:124], "person", {123}, RULE) is None
