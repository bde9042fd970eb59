"""Words that go with a number, and texts that can be shown."""

from __future__ import annotations


def make_printable(text: str) -> str:
    """A text with `?` for each character that would steer a terminal rather than be seen.

    Line breaks and tabs count among them, as do marks that turn the direction of writing
    around, halves of characters, and blanks other than the usual one.
    """
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else "?" for letter in text)


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
