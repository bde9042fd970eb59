"""The linear assignment problem: scipy's solver, without the second that `scipy.optimize` takes.

That package imports every optimiser there is before it hands over the one function needed here.
The function lives in an extension module of its own that needs numpy only, so it is loaded from
its file. Where a release of scipy keeps it elsewhere, the public name is imported instead.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, FileFinder
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from typing import Any, TypeAlias, cast

from numpy.typing import NDArray

from mot_dinov3.structures import IntArray

Solver: TypeAlias = Callable[[NDArray[Any]], tuple[IntArray, IntArray]]

MODULE, FUNCTION = "_lsap", "linear_sum_assignment"


def load_solver(module: str = MODULE) -> Solver:
    """`scipy.optimize.linear_sum_assignment`, by the shorter way if there is one.

    Args:
        module: the extension that holds it.
    """
    try:
        return cast("Solver", getattr(_extension(module), FUNCTION))
    except (ImportError, AttributeError):
        from scipy import optimize

        return cast("Solver", optimize.linear_sum_assignment)


def _extension(name: str) -> object:
    """An extension module of `scipy.optimize`, loaded without that package.

    Raises:
        ImportError: there is no such file, or it cannot be loaded alone.
    """
    package = find_spec("scipy")
    places = package.submodule_search_locations if package else None
    for place in places or ():
        finder = FileFinder(
            str(Path(place) / "optimize"), (ExtensionFileLoader, EXTENSION_SUFFIXES)
        )
        spec = finder.find_spec(name)
        if spec is not None and spec.loader is not None:
            module = module_from_spec(spec)
            spec.loader.exec_module(module)
            return module
    raise ImportError(f"scipy has no {name}", name=name)


linear_sum_assignment = load_solver()
"""(rows, columns) of the pairs with the lowest total cost of a (N, M) matrix."""
