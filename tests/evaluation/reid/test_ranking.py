"""Rankings, against a plain reading of the rule of Market-1501."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mot_dinov3.data.reid.crops import build_crops
from mot_dinov3.errors import InputError
from mot_dinov3.evaluation.reid.ranking import cosine_distances, find_pairs, rank


def crops_of(*seen, folder="x"):
    """Crops such as "a1": identity a by camera 1, "a" by an unknown one."""
    facts = [(name[0], int(name[1:] or -1), -1, -1) for name in seen]
    paths = [Path(folder, f"{name}-{i}.jpg") for i, name in enumerate(seen)]
    names = tuple(sorted({*"abcdef", *(name[0] for name in seen)}))
    found = build_crops(paths, facts)
    identity = np.array([names.index(name[0]) for name in seen])
    return type(found)(found.paths, identity, found.camera, found.sequence, found.frame, names)


def test_places_become_figures():
    query, gallery = crops_of("a1", "b1"), crops_of("a2", "c2", "a1", "a2", "b2", folder="y")
    distances = np.array([[0.2, 0.1, 0.0, 0.4, 0.3], [0.1, 0.2, 0.3, 0.4, 0.0]])
    found = rank(distances, find_pairs(query, gallery))
    assert (found.rank1, found.rank5, found.rank10) == (0.5, 1, 1)
    assert found.mean_ap == pytest.approx(((1 / 2 + 2 / 4) / 2 + 1) / 2)
    assert found.mean_inp == pytest.approx((2 / 4 + 1) / 2)
    assert (found.queries, found.unmatched) == (2, 0)


def slow_rank(distances, query, gallery):
    """Average precision and inverse negative penalty of each query, by walking down the list."""
    out = []
    for q in range(len(query)):
        seen = hits = total = 0
        for g in np.argsort(distances[q], kind="stable"):
            same = query.identity[q] == gallery.identity[g]
            if same and query.camera[q] == gallery.camera[g]:
                continue
            seen += 1
            if same:
                hits += 1
                total, last = total + hits / seen, seen
        if hits:
            out.append((total / hits, hits / last))
    return np.mean(out, axis=0), len(out)


def test_figures_are_those_of_a_walk_down_the_list():
    rng = np.random.default_rng(3)
    names = [f"{who}{camera}" for who in "abcdef" for camera in (1, 2, 3)]
    query = crops_of(*rng.choice(names, 30), "e1")
    gallery = crops_of(*rng.choice([n for n in names if n not in ("e2", "e3")], 80), folder="y")
    distances = rng.random((31, 80))
    (mean_ap, mean_inp), counted = slow_rank(distances, query, gallery)
    found = rank(distances, find_pairs(query, gallery))
    assert found.mean_ap == pytest.approx(mean_ap)
    assert found.mean_inp == pytest.approx(mean_inp)
    assert found.queries == counted == 31 - found.unmatched
    assert found.unmatched > 0


def test_of_unknown_cameras_only_the_same_file_is_left_out():
    query, gallery = crops_of("a", "b1"), crops_of("a", "a", "b", "c1")
    pairs = find_pairs(query, gallery)
    assert pairs.matches.tolist() == [[False, True, False, False], [False, False, True, False]]
    assert pairs.strangers.tolist() == [[False, False, True, True], [True, True, False, False]]


def test_a_network_that_finds_all_alike_gains_nothing():
    query, gallery = crops_of("a1"), crops_of("a2", "b2", "c2")
    assert rank(np.zeros((1, 3)), find_pairs(query, gallery)).mean_ap == pytest.approx(1 / 3)


def test_distances_of_unit_rows_come_in_the_order_of_euclid():
    turns = np.deg2rad([0, 50, 170, 91])
    rows = np.column_stack((np.cos(turns), np.sin(turns)))
    found = cosine_distances(rows[:1], rows)[0]
    assert found == pytest.approx(np.linalg.norm(rows - rows[0], axis=1) ** 2 / 2, abs=1e-6)


@pytest.mark.parametrize(
    ("query", "gallery", "says"),
    [
        (["a1", "a2"], ["a1", "a2"], "same identity"),
        (["a1", "b1"], ["a1", "b1"], "another camera"),
        (["a1"], ["b2", "c2"], "another camera"),
    ],
)
def test_sets_with_nothing_to_find_are_refused(query, gallery, says):
    with pytest.raises(InputError, match=says):
        find_pairs(crops_of(*query), crops_of(*gallery, folder="y"))
