from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from mot_dinov3.perception.features.sparse_rows import SparseRows, load_product


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


def test_importing_them_does_not_import_scipy():
    module = "mot_dinov3.perception.features.sparse_rows"
    code = f"import {module}; print([m for m in sys.modules if 'scipy.' in m])"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:] = {sys.path!r}; {code}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"
