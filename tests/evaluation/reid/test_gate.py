from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.errors import InputError
from mot_dinov3.evaluation.reid.gate import suggest_gate, suggest_memory_gate
from mot_dinov3.tracking.gallery import Gallery


def test_kinds_without_overlap_are_parted_in_the_middle():
    found = suggest_gate(np.array([0.9, 0.7]), np.array([0.1, 0.5]))
    assert (found.cosine, found.error) == (pytest.approx(0.6), 0)


@pytest.mark.parametrize("weight", [1, 3, 10])
def test_false_splits_are_so_many_times_as_frequent_as_false_merges(weight):
    rng = np.random.default_rng(0)
    same, different = rng.normal(0.6, 0.1, 4000), rng.normal(0.3, 0.1, 9000)
    found = suggest_gate(same.astype(np.float32), different.astype(np.float32), weight)
    assert found.splits == pytest.approx(np.mean(same < found.cosine), abs=1e-3)
    assert found.merges == pytest.approx(np.mean(different >= found.cosine), abs=1e-3)
    assert found.splits == pytest.approx(weight * found.merges, rel=0.05)
    assert found.error == (found.splits + found.merges) / 2


def test_a_wrong_merge_is_worse_than_none():
    rng = np.random.default_rng(1)
    same, different = rng.normal(0.6, 0.2, 500), rng.normal(0.2, 0.2, 500)
    equal, careful = suggest_gate(same, different, 1), suggest_gate(same, different)
    assert careful.cosine > equal.cosine + 0.05
    assert careful.merges < equal.merges / 2


@pytest.mark.parametrize(("same", "different"), [([], [0.1]), ([0.1], [])])
def test_pairs_of_one_kind_tell_nothing(same, different):
    with pytest.raises(InputError, match="cosine gate"):
        suggest_gate(np.array(same), np.array(different))


def test_a_gate_beside_memories_fits_what_a_gallery_says():
    rng = np.random.default_rng(2)
    people, each, dim = 6, 40, 16
    identity = np.repeat(np.arange(people), each)
    vectors = rng.normal(0, 1, (people, dim))[identity] + rng.normal(0, 1.2, (len(identity), dim))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    remembered = np.tile(np.arange(each) < each // 2, people)
    found = suggest_memory_gate(vectors, identity, remembered)

    gallery = Gallery()
    gallery.extend(people)
    for step in range(each // 2):
        gallery.add(np.arange(people), vectors[step::each])
    alike = gallery.best_similarity(vectors[~remembered], np.arange(people))
    same = identity[~remembered, None] == np.arange(people)
    assert found.splits == pytest.approx(np.mean(alike[same] < found.cosine), abs=1e-6)
    assert found.merges == pytest.approx(np.mean(alike[~same] >= found.cosine), abs=1e-6)

    early, late = vectors[remembered], vectors[~remembered]
    pairs = identity[remembered][:, None] == identity[~remembered]
    single = suggest_gate((early @ late.T)[pairs], (early @ late.T)[~pairs])
    assert found.splits < single.splits - 0.1
    assert np.mean(alike[~same] >= single.cosine) > 4 * found.merges
