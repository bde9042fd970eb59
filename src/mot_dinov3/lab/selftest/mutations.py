"""Damage to the bytes of a file, decided by a seed alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

_ATOMS = (
    rb"moov|trak|mdia|minf|stbl|stsd|stts|ctts|stsc|stsz|stco|co64|stss|mdhd|tkhd|mvhd|hdlr|elst|"
    rb"moof|traf|tfhd|trun|mdat|avcC|hvcC|esds|avc1|hev1|mp4v|sidx|mvex|trex|udta|meta|free|ftyp"
)
_ELEMENTS = (
    rb"\x1a\x45\xdf\xa3|\x18\x53\x80\x67|\x15\x49\xa9\x66|\x16\x54\xae\x6b|\x1f\x43\xb6\x75|"
    rb"\x11\x4d\x9b\x74|\x1c\x53\xbb\x6b|\x12\x54\xc3\x67|\xec|\xae|\xe0|\xb0|\xba|\xa3|\xa0|\xa1|"
    rb"\x63\xa2|\x86|\x2a\xd7\xb1|\x44\x89|\x23\xe3\x83|\xe7"
)
_FIELDS = {
    b"ftyp": re.compile(rb"(?s)(?=(.{4})(?:" + _ATOMS + rb"))"),
    b"\x1a\x45\xdf\xa3": re.compile(rb"(?s)(?=(?:" + _ELEMENTS + rb")(.{4}))"),
    b"\x47": re.compile(rb"(?s)(?=\x47(.{4}).{183}(?:\x47|\Z))"),
}
"""How a container begins, and where its fields of length and kind stand (group 1)."""
EXTREMES = (0, 1, 2, 7, 8, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1)
LEAST_BYTES = 16
"""What is shorter is not damaged any further."""
HEAD_BYTES = 64
"""How far behind a field of length the numbers of a header are looked for."""


def flip(data: bytearray, rng: Random) -> None:
    """Turn over single bits, few or many."""
    for _ in range(rng.choice((1, 4, 16, 64))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def overwrite(data: bytearray, rng: Random) -> None:
    """Put noise, zeros or ones over a stretch."""
    start, length = _choose_stretch(data, rng)
    filling = rng.choice((rng.randbytes(length), bytes(length), b"\xff" * length))
    data[start : start + length] = filling


def cut(data: bytearray, rng: Random) -> None:
    """Lose the end, or sometimes the beginning."""
    place = rng.randrange(1, len(data))
    if rng.random() < 0.8:
        del data[place:]
    else:
        del data[: min(place, len(data) - 1)]


def remove(data: bytearray, rng: Random) -> None:
    """Lose a stretch in the middle, so that everything behind it moves."""
    start, length = _choose_stretch(data, rng)
    del data[start : start + min(length, len(data) - 1)]


def insert(data: bytearray, rng: Random) -> None:
    """Put in noise, or a second copy of a stretch."""
    start, length = _choose_stretch(data, rng)
    piece = rng.choice((rng.randbytes(length), bytes(data[start : start + length])))
    place = rng.randrange(len(data))
    data[place:place] = piece


def shuffle(data: bytearray, rng: Random) -> None:
    """Put blocks in another order, as a file put together wrongly has them."""
    size = rng.choice((64, 188, 512, 1024))
    blocks = [data[start : start + size] for start in range(0, len(data), size)]
    first = rng.choice((0, 1, len(blocks) // 2))
    tail = blocks[first:]
    rng.shuffle(tail)
    data[:] = b"".join(blocks[:first] + tail)


def falsify(data: bytearray, rng: Random) -> None:
    """Let a field of the container's headers lie: lengths, kinds, and numbers behind them."""
    places = find_fields(data)
    if not places:
        flip(data, rng)
        return
    for _ in range(rng.choice((1, 1, 2, 4))):
        place = rng.choice(places)
        if rng.random() < 0.4:
            place += rng.randrange(4, HEAD_BYTES)
        if place + 4 > len(data):
            continue
        was = int.from_bytes(data[place : place + 4], "big")
        near = (was + rng.choice((-8, -1, 1, 8, 64))) % 2**32
        lie = rng.choice((*EXTREMES, near, rng.randrange(2**32)))
        data[place : place + 4] = lie.to_bytes(4, "big")


MUTATIONS: tuple[Callable[[bytearray, Random], None], ...] = (
    flip,
    overwrite,
    cut,
    remove,
    insert,
    shuffle,
    falsify,
    falsify,
    falsify,
)
"""Every way to damage a file; those that headers are read by are more often."""


def mutate(whole: bytes, rng: Random) -> tuple[bytes, list[str]]:
    """A damaged copy of `whole`, never empty, and the names of what was done to it."""
    data, done = bytearray(whole), []
    for _ in range(rng.choice((1, 1, 2, 3))):
        if len(data) < LEAST_BYTES:
            break
        mutation = rng.choice(MUTATIONS)
        mutation(data, rng)
        done.append(mutation.__name__)
    return bytes(data), done


def find_fields(data: bytes | bytearray) -> list[int]:
    """Find where the fields of a video container stand; nowhere in any other file."""
    for beginning, pattern in _FIELDS.items():
        if beginning in data[:8]:
            return [match.start(1) for match in pattern.finditer(data)]
    return []


def _choose_stretch(data: bytearray, rng: Random) -> tuple[int, int]:
    start = rng.randrange(len(data))
    return start, min(rng.choice((1, 4, 16, 188, 1024, 8192)), len(data) - start)
