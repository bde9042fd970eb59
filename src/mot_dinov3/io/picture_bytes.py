"""What the bytes of an image file say before they are decoded: where it ends, what else it holds.

Decoders fill what is missing from an image with grey and stay silent. Behind the end of an image
anything may follow: the video of a motion photo, further images, a maker's own data.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from itertools import islice

JPEG, PNG, GIF = b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"GIF8"
TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
PNG_HEAD, RIFF_HEAD = ">I4s", "<4sI"
MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
"""A marker within coded pixels: not a stuffed FF, not a restart."""
TILED_PHOTOS = (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypavif")
_GAP = rb"(?:\s|#[^\n]{0,200}\n){1,99}"
PORTABLE = re.compile(
    rb"P([56])" + _GAP + rb"(\d{1,6})" + _GAP + rb"(\d{1,6})" + _GAP + rb"(\d{1,5})\s"
)
"""The head of a binary PGM or PPM: its kind, width, height and largest number."""
END, START, SCAN, APP2 = 0xD9, 0xD8, 0xDA, 0xE2
MOST_PARTS = 100_000
"""Segments, chunks and pages of a file: more are damage."""
MOST_ENTRIES = 4096
SUBFILE_TYPE, SHORT = 254, 3
SMALLER, MASK = 1, 4
"""Bits of a TIFF page that is not a picture of its own."""
PICTURE_COUNT = 0xB001
"""The field of a multi-picture JPEG that counts its pictures."""


def is_cut(data: bytes) -> bool:
    """Whether a JPEG, PNG, WebP or TIFF lacks its end; False for other formats."""
    if data.startswith(JPEG):
        return all(marker != END for marker, _ in _walk_jpeg(data))
    if data.startswith(PNG):
        return all(kind != b"IEND" for kind, _ in _walk_chunks(data, len(PNG), PNG_HEAD, 4))
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return 8 + int(struct.unpack_from("<I", data, 4)[0]) > len(data)
    return data[:4] in TIFF and not _read_tiff(data)[1]


def list_pages(data: bytes) -> list[int]:
    """The numbers of the pictures in an image file, for `cv2.imdecodemulti`; [0] for a single one.

    Smaller versions of a TIFF's pages are left out, and so are the pictures of a JPEG behind its
    first one, which mostly show the same: `count_extra` tells of those.
    """
    if data[:4] in TIFF:
        kinds, _ = _read_tiff(data)
        return [number for number, kind in enumerate(kinds) if not kind & (SMALLER | MASK)] or [0]
    if data[:4] == b"RIFF" and data[8:16] == b"WEBPVP8X":
        chunks = _walk_chunks(data, 12, RIFF_HEAD, 0)
        return list(range(sum(kind == b"ANMF" for kind, _ in chunks))) or [0]
    return [0]


def is_moving_png(data: bytes) -> bool:
    """Whether a PNG is an animation."""
    kinds = islice((kind for kind, _ in _walk_chunks(data, len(PNG), PNG_HEAD, 4)), 100)
    return data.startswith(PNG) and b"acTL" in kinds


def is_tiled_photo(head: bytes) -> bool:
    """Whether a file that begins with `head` is a HEIC or AVIF photo put together from tiles.

    libav reads such a file as a video of its first tile.
    """
    return head[4:12] in TILED_PHOTOS and b"grid" in head


def count_extra(data: bytes) -> int:
    """How many pictures a JPEG or a binary PGM or PPM holds behind its first one."""
    if data.startswith(JPEG):
        return _count_listed(data) or _count_following(data)
    return _count_portable(data) - 1 if PORTABLE.match(data) else 0


def _count_listed(data: bytes) -> int:
    """How many pictures a JPEG says to hold beside its first one."""
    for marker, start in _walk_jpeg(data):
        if marker == SCAN:
            return 0
        if marker == APP2 and data[start + 4 : start + 8] == b"MPF\0":
            return max(0, _read_picture_count(data[start + 8 : start + 8 + 0xFFFF]) - 1)
    return 0


def _count_following(data: bytes) -> int:
    """How many whole JPEGs follow directly upon the first one."""
    ends, position = 0, 0
    while data.startswith(JPEG, position) and ends < MOST_PARTS:
        marker, start = [(0, 0), *_walk_jpeg(data, position)][-1]
        if marker != END:
            break
        ends, position = ends + 1, start + 2
    return max(0, ends - 1)


def _count_portable(data: bytes) -> int:
    """How many binary PGM or PPM follow each other; at least 1."""
    count, position = 0, 0
    while (head := PORTABLE.match(data, position)) and count < MOST_PARTS:
        width, height, largest = map(int, head.groups()[1:])
        samples = 3 if head[1] == b"6" else 1
        row = width * samples * (1 + (largest > 255))
        count, position = count + 1, head.end() + row * height
    return max(1, count)


def _walk_jpeg(data: bytes, position: int = 0) -> Iterator[tuple[int, int]]:
    """(marker, where it stands) from a place to the end of that image, as a decoder walks them."""
    for _ in range(MOST_PARTS):
        found = MARKER.search(data, position)
        if found is None:
            return
        marker, start = found[1][0], found.start()
        yield marker, start
        if marker == END:
            return
        # What follows the head of a scan is pixels, up to the next marker.
        length = data[start + 2 : start + 4] if marker not in (START, 1) else b""
        position = start + 2 + int.from_bytes(length, "big")


def _walk_chunks(data: bytes, start: int, head: str, behind: int) -> Iterator[tuple[bytes, int]]:
    """(kind, where its content begins) of the chunks of a PNG or RIFF that are there in full."""
    for _ in range(MOST_PARTS):
        if start + 8 > len(data):
            return
        first, second = struct.unpack_from(head, data, start)
        length, kind = (first, second) if head == PNG_HEAD else (second, first)
        start += 8
        end = start + length + behind
        if end > len(data):
            return
        yield kind, start
        start = end + (length % 2 if not behind else 0)


def _read_tiff(data: bytes) -> tuple[list[int], bool]:
    """The kind of each page, and whether all are there: each directory names the next one."""
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    count, offset = (order + "Q", order + "Q") if big else (order + "H", order + "I")
    entry = 4 + 2 * struct.calcsize(offset)
    kinds: list[int] = []
    seen: set[int] = set()
    try:
        (place,) = struct.unpack_from(offset, data, 8 if big else 4)
        while place and place not in seen and len(seen) < MOST_PARTS:
            seen.add(place)
            (entries,) = struct.unpack_from(count, data, place)
            first = place + struct.calcsize(count)
            places = range(first, first + min(entries, MOST_ENTRIES) * entry, entry)
            kind = _read_subfile_type(data, places, order)
            (place,) = struct.unpack_from(offset, data, first + entries * entry)
            kinds.append(kind)
    except struct.error:
        return kinds, False
    return kinds, True


def _read_subfile_type(data: bytes, entries: range, order: str) -> int:
    """What kind of page a directory describes; 0 where it does not say."""
    for at in entries:
        tag, form = struct.unpack_from(order + "HH", data, at)
        if tag == SUBFILE_TYPE:
            kind = order + ("H" if form == SHORT else "I")
            return int(struct.unpack_from(kind, data, at + 4 + (entries.step - 4) // 2)[0])
    return 0


def _read_picture_count(block: bytes) -> int:
    """The count in the index of a multi-picture JPEG, a small TIFF; 0 where there is none."""
    order = "<" if block[:2] == b"II" else ">"
    try:
        (place,) = struct.unpack_from(order + "I", block, 4)
        (entries,) = struct.unpack_from(order + "H", block, place)
        for at in range(place + 2, place + 2 + entries * 12, 12):
            tag, _, _, value = struct.unpack_from(order + "HHII", block, at)
            if tag == PICTURE_COUNT:
                return int(value)
    except struct.error:
        pass
    return 0
