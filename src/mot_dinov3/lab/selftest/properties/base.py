"""What a property is: a check, and what inputs it is tried on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from hypothesis.strategies import SearchStrategy

Check: TypeAlias = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Property:
    """Something that holds for every input.

    Attributes:
        check: raises where it does not; an `AssertionError` or whatever escapes.
        inputs: what its arguments are drawn from, in order.
    """

    check: Check
    inputs: tuple[SearchStrategy[Any], ...]


def holds_for(*inputs: SearchStrategy[Any]) -> Callable[[Check], Property]:
    """Make a property of a check whose arguments are drawn from `inputs`."""
    return lambda check: Property(check, inputs)
