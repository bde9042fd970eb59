from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.errors import UsageError
from mot_dinov3.runs.library.vectors import read_embeddings

NAN = float("nan")


def test_vectors_are_normalised():
    np.testing.assert_allclose(read_embeddings([[3, 4], [0, 2]], 2), [[0.6, 0.8], [0, 1]])


def test_unit_vectors_keep_every_bit():
    rows = np.random.default_rng(0).normal(size=(50, 64)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    np.testing.assert_array_equal(read_embeddings(rows, 50), rows)


@pytest.mark.parametrize("gap", [None, [NAN, NAN], [NAN, 1]])
def test_a_row_may_be_missing(gap):
    found = read_embeddings([gap, [0, 5]], 2)
    assert np.isnan(found[0]).all()
    assert found[1].tolist() == [0, 1]


def test_none_of_them_may_be_there():
    for rows in ([None, None], np.full((2, 3), NAN), np.zeros((2, 0))):
        assert read_embeddings(rows, 2) is None
    for rows in ([], np.zeros((0, 8))):
        assert read_embeddings(rows, 0) is None


def test_tensors_are_vectors():
    import torch

    assert read_embeddings([torch.ones(4), None], 2)[0].tolist() == [0.5] * 4
    assert read_embeddings(torch.ones(2, 4), 2).tolist() == [[0.5] * 4] * 2


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        (np.ones((3, 4)), "embeddings= has 3 rows, and there are 2 boxes."),
        ([None], "embeddings= has 1 rows"),
        ([], "embeddings= has 0 rows"),
        (5, "embeddings= has 0 rows"),
        (np.ones(2), "embeddings= has shape (2,)"),
        ([[1, 2], [1, 2, 3]], "vectors of shapes (2,) and (3,)"),
        ([[1, 2], [0, 0]], "Row 1 of the embeddings is zero."),
        ([[1, float("inf")], [0, 1]], "Row 0 of the embeddings is infinite."),
        ([[1e200, 0], [0, 1]], "Row 0 of the embeddings is infinite."),
        ("vectors", "not a table of numbers"),
    ],
)
def test_what_cannot_be_vectors_is_one_sentence(rows, what):
    with pytest.raises(UsageError) as caught:
        read_embeddings(rows, 2)
    assert what in caught.value.what
    assert caught.value.fix
