"""Translates `--classes` and `--pick` into the class ids of a detector."""

from __future__ import annotations

from collections.abc import Mapping

from mot_dinov3.errors import UsageError, nearest

LISTED = 12
"""How many names a message shows when none looks like the one asked for."""


def resolve_classes(
    text: str, names: Mapping[int, str], flag: str = "--classes"
) -> frozenset[int] | None:
    """Find the class ids that a flag asks for; None when every class is kept.

    Args:
        text: ids or names separated by commas, such as "person, 2"; case does not matter.
        names: class id -> class name of the detector.
        flag: what the text was given to.

    Raises:
        UsageError: a word is neither an id nor a name; the message lists near names.
    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words:
        return None
    by_name = {name.strip().lower(): number for number, name in names.items()}
    return frozenset(_class_id(word, names, by_name, flag) for word in words)


def _class_id(word: str, names: Mapping[int, str], by_name: Mapping[str, int], flag: str) -> int:
    if word.lower() in by_name:
        return by_name[word.lower()]
    if word.isdecimal() and int(word) in names:
        return int(word)
    near = nearest(word, list(by_name))
    hint = f"Did you mean {' or '.join(near)}?" if near else f"It knows: {_first_names(names)}"
    raise UsageError(f"{flag}: the detector has no class '{word}'.", fix=hint)


def _first_names(names: Mapping[int, str]) -> str:
    shown = [f"{names[number]} ({number})" for number in sorted(names)[:LISTED]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")
