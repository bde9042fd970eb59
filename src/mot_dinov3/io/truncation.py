"""Whether an mp4 or mov file is whole, told from its box structure alone.

libav reads a file that was cut short to its end and reports nothing; the boxes still say how
long the file was meant to be.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

_MOVIE = frozenset({b"ftyp", b"moov", b"mdat", b"moof", b"free", b"skip", b"wide", b"uuid", b"styp",
                    b"sidx", b"mfra", b"pnot", b"meta", b"udta"})  # fmt: skip
MOST_BOXES = 1_000_000


def top_level_boxes(path: Path) -> Iterator[tuple[bytes, int, int]]:
    """Yield (type, start, end) of the outermost boxes; `end` may lie beyond the file.

    Stops at the first thing that is no known box, so other formats yield nothing.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = 0
        for _ in range(MOST_BOXES):
            file.seek(start)
            head = file.read(16)
            if len(head) < 8 or head[4:8] not in _MOVIE:
                return
            length = struct.unpack(">I", head[:4])[0]
            if length == 1 and len(head) == 16:
                length = struct.unpack(">Q", head[8:])[0]
            end = size if length == 0 else start + length
            yield head[4:8], start, end
            if end <= start or end >= size:
                return
            start = end


def damage(path: Path) -> str:
    """What is missing from an mp4/mov file, as the end of a sentence; "" when nothing is known."""
    try:
        boxes = list(top_level_boxes(path))
        size = path.stat().st_size
    except OSError:
        return ""
    if not boxes or boxes[0][0] not in (b"ftyp", b"moov", b"mdat", b"wide", b"free"):
        return ""
    if boxes[-1][2] > size:
        return f"is cut short: {boxes[-1][2] - size} bytes are missing at its end"
    if all(kind != b"moov" for kind, _, _ in boxes):
        return "has no index (moov): it was cut short or is still being written"
    return ""
