from __future__ import annotations

import numpy as np

from mot_dinov3.tracking.gallery import RING, Gallery


def unit(*values):
    vector = np.array(values, np.float32)
    return vector / np.linalg.norm(vector)


def filled(*vectors):
    gallery = Gallery()
    gallery.extend(len(vectors))
    for row, vector in enumerate(vectors):
        if vector is not None:
            gallery.add(np.array([row]), vector[None])
    return gallery


def test_nothing_is_known_before_the_first_embedding():
    gallery = filled(None)
    assert not gallery.known.any()
    assert gallery.similarity(unit(1, 0)[None]).tolist() == [[0.0]]


def test_the_mean_follows_slowly_and_stays_a_unit_vector():
    gallery = filled(unit(1, 0))
    gallery.add(np.array([0]), unit(0, 1)[None])
    assert gallery.mean[0, 0] > gallery.mean[0, 1] > 0
    np.testing.assert_allclose(np.linalg.norm(gallery.mean, axis=1), 1, rtol=1e-6)


def test_the_ring_remembers_what_the_mean_has_forgotten():
    gallery = filled(unit(1, 0))
    for _ in range(RING - 1):
        gallery.add(np.array([0]), unit(0, 1)[None])
    side = unit(1, 0)[None]
    assert gallery.best_similarity(side, np.array([0]))[0, 0] > 0.99
    assert gallery.similarity(side)[0, 0] < 0.5
    gallery.add(np.array([0]), unit(0, 1)[None])
    assert gallery.best_similarity(side, np.array([0]))[0, 0] < 0.5


def test_rows_stay_aligned_when_tracks_go_and_come():
    gallery = filled(unit(1, 0), unit(0, 1), None)
    gallery.keep(np.array([False, True, True]))
    gallery.extend(1)
    assert gallery.known.tolist() == [True, False, False]
    np.testing.assert_allclose(gallery.mean[0], unit(0, 1))
    assert len(gallery) == 3


def test_everybody_has_a_memory_of_his_own_however_many_come_and_go():
    """Against a plain list of what each was given; slots in the pool are used again."""
    rng = np.random.default_rng(0)
    gallery, given = Gallery(), []
    for _ in range(60):
        n = int(rng.integers(0, 4))
        gallery.extend(n)
        given += [[] for _ in range(n)]
        rows = np.flatnonzero(rng.random(len(given)) < 0.7)
        vectors = rng.normal(size=(len(rows), 5)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        gallery.add(rows, vectors)
        for row, vector in zip(rows, vectors, strict=True):
            given[row].append(vector)
        stay = rng.random(len(given)) < 0.85
        gallery.keep(stay)
        given = [one for one, kept in zip(given, stay, strict=True) if kept]
        asked = vectors[:2]
        if not len(given) or not gallery.dim:
            continue
        for row, held in enumerate(given):
            found = gallery.best_similarity(asked, np.array([row]))[:, 0]
            wanted = [max([*(v @ a for v in held[-RING:]), gallery.mean[row] @ a]) for a in asked]
            np.testing.assert_allclose(found, wanted, atol=1e-5)
    assert len(gallery) == len(given) > 0


def test_drift_is_the_running_mean_of_the_change_between_consecutive_looks():
    gallery = Gallery()
    gallery.extend(1)
    changes, surprises = [], []
    for degrees in (0, 60, 60, 150):
        radians = np.radians(degrees)
        gallery.add(np.array([0]), np.array([[np.cos(radians), np.sin(radians)]], np.float32))
        changes.append(float(gallery.drift[0]))
        surprises.append(float(gallery.surprise[0]))
    assert np.allclose(changes, [0, 0.5, 0.35, 0.7 * 0.35 + 0.3], atol=1e-5)
    assert np.allclose(surprises[:2], [0, 0.5], atol=1e-5)
    assert 0.3 < surprises[2] < 0.5, "against the mean, not the last one"


def test_a_memory_is_a_copy_that_can_be_given_to_another_track():
    gallery = filled(unit(1, 0), unit(0, 1))
    gallery.add(np.array([0]), unit(4, 3)[None])
    memory, mean = gallery.copy(0), gallery.mean[0].copy()
    gallery.add(np.array([0]), unit(0, 1)[None])
    gallery.restore(1, memory)
    np.testing.assert_array_equal(gallery.mean[1], mean)
    assert gallery.count.tolist() == [3, 2]
    assert gallery.drift[1] == gallery.surprise[1] == np.float32(memory.drift) > 0
    near = gallery.best_similarity(unit(4, 3)[None], np.array([1]))
    np.testing.assert_allclose(near, 1, rtol=1e-6)
