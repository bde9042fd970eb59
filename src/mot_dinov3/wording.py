"""Words that go with a number."""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """A number and what it counts: "1 frame", "0 frames", "2 identities".

    Args:
        number: how many.
        one: what a single one is called, in words that may go on: "box lies".
        many: what any other number of them is called; `one` with an s when left out.
    """
    return f"{number} {form_of(number, one, many)}"


def form_of(number: int, one: str, many: str = "") -> str:
    """The words of `counted` without the number."""
    return one if number == 1 else many or one + "s"
