from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from mot_dinov3.runtime.scipy_parts import (
    SparseRows,
    linear_sum_assignment,
    load_product,
    load_solver,
)


@pytest.mark.parametrize("shape", [(1, 1), (7, 7), (5, 9), (9, 5), (0, 3), (60, 80)])
def test_assignments_are_scipy_s(shape):
    from scipy import optimize

    cost = np.random.default_rng(1).random(shape, np.float32)
    ours, theirs = linear_sum_assignment(cost), optimize.linear_sum_assignment(cost)
    assert all((a == b).all() for a, b in zip(ours, theirs, strict=True))


def sparse_rows():
    """3 x 4, a row of it empty."""
    dense = np.array([[0, 2, 0, 1], [0, 0, 0, 0], [4, 0, 0.5, 0]], np.float32)
    row, column = dense.nonzero()
    starts = np.searchsorted(row, np.arange(4)).astype(np.int32)
    return dense, SparseRows((3, 4), dense[row, column], column.astype(np.int32), starts)


@pytest.mark.parametrize("module", ["_sparsetools", "_nowhere"])
def test_products_are_those_of_the_dense_matrix(module):
    dense, rows = sparse_rows()
    wide = np.random.default_rng(2).random((4, 10), np.float32)
    product = load_product(module)
    for other in (wide[:, :1], wide, wide[:, ::2], wide.T[:4].T[:, :3]):
        out = product(rows, other)
        np.testing.assert_allclose(out, dense @ other, rtol=1e-6)
        assert out.dtype == np.float32


@pytest.mark.parametrize("module", ["_sparsetools", "_nowhere"])
def test_shapes_that_do_not_go_together_are_refused(module):
    with pytest.raises(ValueError, match=r"rows|mismatch"):
        load_product(module)(sparse_rows()[1], np.ones((5, 2), np.float32))


def test_a_scipy_that_keeps_it_elsewhere_is_imported_as_a_whole():
    from scipy import optimize

    assert load_solver("_nowhere") is optimize.linear_sum_assignment


def test_importing_them_does_not_import_scipy():
    code = "import mot_dinov3.runtime.scipy_parts; print([m for m in sys.modules if 'scipy.' in m])"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:] = {sys.path!r}; {code}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"
