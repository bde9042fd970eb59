"""How large a text may be that a user or a stranger wrote: one row for each kind of file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

KB, MB, GB = 1 << 10, 1 << 20, 1 << 30


@dataclass(frozen=True, slots=True)
class TextLimit:
    """What a kind of text may take, far above what anyone needs.

    Attributes:
        most_bytes: the size of the file.
        most_line: bytes of a line, without its line break.
    """

    most_bytes: int
    most_line: int


ENV_FILE = TextLimit(64 * KB, 4 * KB)
SETTINGS = TextLimit(1 * MB, 64 * KB)
SEQUENCE_INFO = TextLimit(64 * KB, 8 * KB)
SOURCE_LIST = TextLimit(10 * MB, 8 * KB)
BOXES = TextLimit(2 * GB, 4 * KB)
CVAT_FILE = TextLimit(4 * GB, 64 * KB)
CAMERA_MOTION = TextLimit(256 * MB, 4 * KB)
METADATA = TextLimit(2 * MB, 2 * MB)
MODEL_NOTES = TextLimit(16 * MB, 16 * MB)

MOST_DEPTH = 50
"""Lists and tables inside each other, in settings and in the notes of models."""
MOST_PICTURE_BYTES = 1 * GB
"""Of the file of one picture."""
INT64 = 2**63 - 1
"""A whole number beyond it fits no array."""


def is_too_deep(document: object, most: int = MOST_DEPTH) -> bool:
    """Whether lists and tables of a parsed document are more than `most` inside each other."""
    layer: list[object] = [document]
    for _ in range(most + 1):
        layer = [inner for value in layer for inner in _list_inner(value)]
        if not layer:
            return False
    return True


def _list_inner(value: object) -> Iterable[object]:
    """What a list or table holds; one text for an empty one, which is as deep."""
    if isinstance(value, dict):
        return value.values() or ("",)
    return value or ("",) if isinstance(value, (list, tuple)) else ()
