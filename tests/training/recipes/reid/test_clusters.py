from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mot_dinov3.data.reid.crops import build_crops
from mot_dinov3.errors import ModelError
from mot_dinov3.training.recipes.reid.clusters import (
    cluster_pictures,
    cluster_tracklets,
    join_cameras,
)

PEOPLE, SHOTS = 6, 5
LONG = 24
"""Pictures of a tracklet that are more than the neighbours that distances look at."""


def vectors_of(rng, people, noise):
    """(N, 64) unit rows: pictures of people, who are far apart."""
    means = rng.standard_normal((int(max(people)) + 1, 64))
    rows = means[people] + noise * rng.standard_normal((len(people), 64))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def crops_of(tracklets):
    """Crops of (name, camera, frames)."""
    facts = [(name, camera, 1, f) for name, camera, frames in tracklets for f in frames]
    return build_crops([Path(f"{row}.png") for row in range(len(facts))], facts)


def long_crops(tracklets):
    """Crops of `LONG` frames each of (name, camera, first frame)."""
    return crops_of([(name, camera, range(f, f + LONG)) for name, camera, f in tracklets])


def partition(labels):
    return {frozenset(np.flatnonzero(labels == one).tolist()) for one in np.unique(labels)}


def test_pictures_of_one_person_are_a_cluster():
    people = np.repeat(np.arange(PEOPLE), 8)
    labels = cluster_pictures(vectors_of(np.random.default_rng(0), people, 0.3), people * 0, 0.5)
    assert labels.dtype == np.int64
    assert partition(labels) == partition(people)


def test_clusters_of_two_cameras_are_joined_where_each_is_the_others_nearest():
    rng = np.random.default_rng(4)
    people = np.repeat(np.tile(np.arange(PEOPLE), 2), 6)
    camera = np.repeat([0, 1], 6 * PEOPLE)
    people[-6:] = PEOPLE  # the second camera sees another in the place of the last person
    labels = cluster_pictures(vectors_of(rng, people, 0.3), camera, 0.6)
    joined = partition(labels)
    for who in range(PEOPLE - 1):
        assert frozenset(np.flatnonzero(people == who).tolist()) in joined
    for rows in map(sorted, joined):
        assert len(np.unique(np.stack([camera[rows], people[rows]]), axis=1).T) <= 2


def test_a_cluster_takes_in_one_of_each_camera_at_most():
    vectors = np.eye(3, dtype=np.float32)[[0, 0, 0]]
    joined = join_cameras(vectors, np.array([0, 1, 1]), np.array([0, 1, 2]))
    assert len(set(joined.tolist())) == 2


def test_a_picture_of_nobody_belongs_to_none():
    rng = np.random.default_rng(0)
    people = np.append(np.repeat(np.arange(PEOPLE), 24), PEOPLE)
    labels = cluster_pictures(vectors_of(rng, people, 0.3), people * 0, 0.35)
    assert labels[-1] == -1
    assert (labels[:-1] >= 0).mean() > 0.8


@pytest.mark.parametrize(
    ("people", "said"),
    [(np.zeros(12, np.int64), "one cluster"), (np.arange(3), "no cluster")],
)
def test_what_cannot_be_told_apart_is_said(people, said):
    vectors = vectors_of(np.random.default_rng(0), people, 0.01)
    with pytest.raises(ModelError, match=said):
        cluster_pictures(vectors, people * 0, 0.5)


def test_cameras_without_a_cluster_have_nothing_to_join():
    labels = np.full(3, -1)
    joined = join_cameras(np.eye(3, dtype=np.float32), np.array([0, 0, 1]), labels)
    assert joined.tolist() == [-1, -1, -1]


def test_crops_of_one_tracklet_stay_together_even_where_they_look_like_others():
    rng = np.random.default_rng(1)
    when = [range(50 * (i % 2), 50 * (i % 2) + SHOTS) for i in range(2 * PEOPLE)]
    crops = crops_of([(f"{i:02d}", 1, frames) for i, frames in enumerate(when)])
    people = np.repeat(np.arange(2 * PEOPLE) // 2, SHOTS)
    people[0] = 5  # one picture of the first tracklet shows another person's clothes
    labels = cluster_tracklets(crops, vectors_of(rng, people, 0.3))
    assert len(set(labels[:SHOTS].tolist())) == 1
    assert partition(labels) == partition(crops.identity // 2)


def test_tracklets_that_a_camera_shows_at_once_are_two_even_where_they_are_equal():
    people = np.repeat([0, 0, 1, 2], LONG)
    vectors = vectors_of(np.random.default_rng(2), people, 0.0)
    first, later, at_once = (("00", 1, 0), ("01", 1, 50), ("01", 1, LONG - 1))
    elsewhere, others = ("01", 2, LONG - 1), [("02", 1, 100), ("03", 1, 200)]
    for second in (later, elsewhere):
        labels = cluster_tracklets(long_crops([first, second, *others]), vectors)
        assert partition(labels) == partition(people)
    labels = cluster_tracklets(long_crops([first, at_once, *others]), vectors)
    assert partition(labels) == partition(np.repeat(np.arange(4), LONG))


def test_no_third_tracklet_joins_two_that_cannot_be_one():
    """A chain of equal pictures: the third may belong to one of the others, never to both."""
    chain = [("00", 1, 0), ("01", 1, 0), ("02", 2, 0), ("03", 2, 90)]
    vectors = vectors_of(np.random.default_rng(3), np.repeat([0, 0, 0, 1], LONG), 0.0)
    labels = cluster_tracklets(long_crops(chain), vectors)[::LONG].tolist()
    assert labels[0] != labels[1]
    assert labels[2] in labels[:2]
    assert labels[3] not in labels[:3]


def test_one_tracklet_has_nothing_to_be_told_from():
    crops = crops_of([("00", 1, range(5))])
    with pytest.raises(ModelError, match="one cluster"):
        cluster_tracklets(crops, vectors_of(np.random.default_rng(0), np.zeros(5, int), 0.1))
