"""Sparse rows and their product, by scipy without the third of a second that its import takes.

`scipy.sparse` imports half of numpy's tools before it hands over what is needed here. The product
lives in an extension module that needs numpy only, so that is loaded from its file. Where a
release of scipy keeps it elsewhere, or where it cannot be loaded alone, the public name is used.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, FileFinder
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from types import ModuleType
from typing import NamedTuple, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from mot_dinov3.values import FloatArray


class SparseRows(NamedTuple):
    """A matrix by rows, few of whose (n, m) values are not zero.

    Attributes:
        shape: rows and columns.
        data: (K,) float32 the values, row by row.
        columns: (K,) int32 where they stand.
        starts: (n + 1,) int32 where each row begins in them.
    """

    shape: tuple[int, int]
    data: FloatArray
    columns: NDArray[np.int32]
    starts: NDArray[np.int32]

    def times(self, other: FloatArray) -> FloatArray:
        """(n, k) float32 product with a dense (m, k) one."""
        return _product(self, other)


Product: TypeAlias = Callable[[SparseRows, FloatArray], FloatArray]


def load_product(module: str = "_sparsetools") -> Product:
    """The product of `scipy.sparse.csr_array` with a matrix, by the shorter way if there is one.

    Args:
        module: the extension that holds it.
    """
    try:
        multiply = _extension("sparse", module).csr_matvecs
    except (ImportError, AttributeError):
        return _public_product

    def product(rows: SparseRows, other: FloatArray) -> FloatArray:
        (n, m), k = rows.shape, other.shape[1]
        if other.shape[0] != m:
            raise ValueError(f"a matrix of {m} columns does not go with {other.shape[0]} rows")
        out = np.zeros((n, k), np.float32)
        dense = np.ascontiguousarray(other, np.float32)
        multiply(n, m, k, rows.starts, rows.columns, rows.data, dense.ravel(), out.ravel())
        return out

    return product


def _public_product(rows: SparseRows, other: FloatArray) -> FloatArray:
    from scipy.sparse import csr_array

    matrix = csr_array((rows.data, rows.columns, rows.starts), shape=rows.shape)
    return cast("FloatArray", matrix @ other)


def _extension(package: str, name: str) -> ModuleType:
    """An extension module of a package of scipy, loaded without that package.

    Raises:
        ImportError: the file is missing or cannot be loaded alone.
    """
    scipy = find_spec("scipy")
    for place in (scipy and scipy.submodule_search_locations) or ():
        loaders = (ExtensionFileLoader, EXTENSION_SUFFIXES)
        spec = FileFinder(str(Path(place) / package), loaders).find_spec(name)
        if spec is not None and spec.loader is not None:
            module = module_from_spec(spec)
            spec.loader.exec_module(module)
            return module
    raise ImportError(f"scipy has no {name}", name=name)


_product = load_product()
