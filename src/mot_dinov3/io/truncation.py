"""Finds out whether a video file is whole, from the sizes that its format writes down.

libav reads a file that was cut short to its end and reports nothing; the outermost boxes still
say how long the file was meant to be.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from mot_dinov3.io.picture_bytes import GIF, PNG
from mot_dinov3.runtime.opening import open_regular
from mot_dinov3.wording import counted

_MOVIE = frozenset(b"ftyp moov mdat moof free skip wide uuid styp sidx mfra pnot meta udta".split())
_EBML, _SEGMENT = bytes.fromhex("1A45DFA3"), bytes.fromhex("18538067")
MOST_BOXES = 1_000_000
FLASH_HEAD, FLASH_TAG = 9, 11
"""Bytes of the head of an FLV file, and of the head of each of its tags."""
_PHOTO = frozenset(b"avif avis heic heix mif1 msf1".split())
"""Brands of still pictures in boxes, whose index is another one."""
GIF_HEAD, GIF_PICTURE = 13, 9
"""Bytes of the head of a GIF, and of the head of each of its pictures behind its first byte."""
GIF_EXTENSION, GIF_IMAGE = b"!", b","
PNG_FRAME = 12
"""Bytes of a chunk around its content."""


def describe_damage(path: Path) -> str:
    """Say what is missing from a video file, as the end of a sentence; "" if nothing is known."""
    try:
        size = path.stat().st_size
        with open_regular(path) as file:
            return describe_cut(file, size)
    except OSError:
        return ""


def describe_cut(file: BinaryIO, size: int) -> str:
    """Say what is missing from a video; see `describe_damage`.

    Args:
        file: its bytes, of which the end may be left out where they came through a pipe.
        size: how many it has in all.
    """
    end, indexed = _read_declared_end(file, size)
    if end > size:
        return f"is cut short: {counted(end - size, 'byte is', 'bytes are')} missing at its end"
    if not indexed:
        return "has no index (moov): it was cut short or is still being written"
    return ""


def has_late_index(head: bytes) -> bool:
    """Whether an mp4 or mov that begins with `head` has its pictures before their index (moov)."""
    if head[4:8] not in _MOVIE:
        return False
    kinds = [kind for kind, _ in _read_movie_boxes(BytesIO(head), 1 << 62)]
    return b"mdat" in kinds and b"moov" not in kinds[: kinds.index(b"mdat")]


def _read_declared_end(file: BinaryIO, size: int) -> tuple[int, bool]:
    """Read where the file says it ends, 0 when it does not say, and whether it has its index."""
    file.seek(0)
    head = file.read(12)
    if head[4:8] in _MOVIE:
        boxes = list(_read_movie_boxes(file, size))
        index = b"meta" if head[8:12] in _PHOTO else b"moov"
        return boxes[-1][1], any(kind == index for kind, _ in boxes)
    if head.startswith(_EBML):
        return _read_matroska_end(file), True
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return _read_riff_end(file, size), True
    if head.startswith(b"FLV"):
        return _read_flash_end(file, size), True
    if head.startswith(GIF):
        return _read_gif_end(file), True
    if head.startswith(PNG):
        return _read_png_end(file), True
    return 0, True


def _read_movie_boxes(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int]]:
    """Read (type, end) of the outermost mp4/mov boxes; the last end may lie beyond the file."""
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
        yield head[4:8], end
        if end <= start or end >= size:
            return
        start = end


def _read_matroska_end(file: BinaryIO) -> int:
    """Read the end of the segment of a Matroska or WebM file; 0 when it was left open (live)."""
    file.seek(0)
    start = len(_EBML)
    for _ in range(8):
        file.seek(start)
        raw = file.read(8)
        length = 9 - raw[0].bit_length() if raw and raw[0] else 0
        if not 0 < length <= len(raw):
            return 0
        value = int.from_bytes(raw[:length], "big") & ((1 << 7 * length) - 1)
        unknown = value == (1 << 7 * length) - 1
        end = start + length + value
        file.seek(start - len(_EBML))
        if file.read(4) == _SEGMENT:
            return 0 if unknown else end
        start = end + len(_EBML)
    return 0


def _read_riff_end(file: BinaryIO, size: int) -> int:
    """Read the end of the last RIFF chunk of an AVI file; large files have several."""
    end = 0
    while end < size:
        file.seek(end)
        head = file.read(8)
        if len(head) < 8 or head[:4] != b"RIFF":
            break
        length = struct.unpack("<I", head[4:])[0]
        if length == 0:
            return 0
        end += 8 + length + length % 2
    return end


def _read_flash_end(file: BinaryIO, size: int) -> int:
    """Read the end of the last tag of an FLV file; each tag repeats its size behind itself."""
    file.seek(size - 4)
    length = int.from_bytes(file.read(4), "big")
    file.seek(max(0, size - 4 - length))
    if length == FLASH_TAG + int.from_bytes(file.read(4)[1:], "big"):
        return size
    file.seek(0)
    start = end = int.from_bytes(file.read(FLASH_HEAD)[5:], "big") + 4
    for _ in range(MOST_BOXES):
        file.seek(start)
        head = file.read(4)
        if not head:
            break
        end = start + FLASH_TAG + int.from_bytes(head[1:], "big")
        start = end + 4
    return end


def _read_gif_end(file: BinaryIO) -> int:
    """Read the least end of the last block of a GIF; what follows its trailer does not count."""
    file.seek(0)
    head = file.read(GIF_HEAD)
    end = GIF_HEAD + _colours_size(head[10:11])
    for _ in range(MOST_BOXES):
        file.seek(end)
        kind = file.read(1)
        if kind not in (GIF_EXTENSION, GIF_IMAGE):
            break
        end += 2
        if kind == GIF_IMAGE:
            fields = file.read(GIF_PICTURE)
            # The size of the codes is one more byte.
            end += GIF_PICTURE + _colours_size(fields[8:])
        file.seek(end)
        while True:
            length = int.from_bytes(file.read(1), "big")
            end += 1 + length
            if not length:
                break
            file.seek(end)
    return end


def _read_png_end(file: BinaryIO) -> int:
    """Read the end of the last chunk of a moving PNG; where that one is missing, the least end."""
    start = len(PNG)
    for _ in range(MOST_BOXES):
        file.seek(start)
        head = file.read(8)
        start += PNG_FRAME + int.from_bytes(head[:4], "big") * (len(head) == 8)
        if len(head) < 8 or head[4:] == b"IEND":
            break
    return start


def _colours_size(flags: bytes) -> int:
    """Bytes of the table of colours that the flags of a GIF, or of a picture in it, promise."""
    value = int.from_bytes(flags, "big")
    return 3 << (value % 8 + 1) if value & 0x80 else 0
