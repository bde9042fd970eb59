"""What a tracker was told in one frame by those who cannot be asked again for free."""

from __future__ import annotations

import json
import math
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mot_dinov3.values import Detections, FloatArray, Frame, Tracks

HEAD = struct.Struct("<I")
F32, I64 = np.dtype("<f4"), np.dtype("<i8")
MS_DIGITS = 4
MOST = 10**7
"""Rows or values beyond this are no frame."""

LOOKS = 5
"""Rows of a picture that are looked at to know it again: whole ones, as memory likes them."""


class DamagedError(ValueError):
    """Bytes that are no frame, although their checksum is right."""


@dataclass(frozen=True, slots=True)
class Answers:
    """One frame's answers.

    Attributes:
        index: 0-based index of the frame in the source.
        time_s: its time.
        picture: what the picture looked like, see `look_of`.
        tracks: who was tracked in the end, see `proof_of`.
        detections: what the detector saw.
        detect_ms: how long it took.
        admitted: what the budget said each time it was asked how many crops may go on.
        batches: crops and milliseconds of each batch that was embedded.
        vectors: (M, D) float32 of all batches, one after another.
    """

    index: int
    time_s: float
    picture: int
    tracks: int
    detections: Detections
    detect_ms: float
    admitted: Sequence[int]
    batches: Sequence[tuple[int, float]]
    vectors: FloatArray

    def packed(self) -> tuple[bytes, ...]:
        """The same as bytes, in pieces: lengths and small values as JSON, then the arrays."""
        seen = self.detections
        head = json.dumps({
            "frame": self.index,
            "time_s": self.time_s,
            "picture": self.picture,
            "tracks": self.tracks,
            "detections": len(seen),
            "detect_ms": round(self.detect_ms, MS_DIGITS),
            "admitted": list(self.admitted),
            "batches": [[n, round(ms, MS_DIGITS)] for n, ms in self.batches],
            "dim": self.vectors.shape[1],
        }).encode()  # fmt: skip
        arrays = (seen.xyxy, F32), (seen.score, F32), (seen.class_id, I64), (self.vectors, F32)
        packed = (array.astype(kind, copy=False).tobytes() for array, kind in arrays)
        return (HEAD.pack(len(head)), head, *packed)

    @classmethod
    def unpacked(cls, data: bytes) -> Self:
        """What `packed` wrote.

        Raises:
            DamagedError: these bytes say something else.
        """
        try:
            (length,) = HEAD.unpack_from(data)
            head = json.loads(data[HEAD.size : HEAD.size + length])
            n, dim = _count(head["detections"]), _count(head["dim"])
            batches = [(_count(rows), _number(ms)) for rows, ms in head["batches"]]
            arrays = _Arrays(data, HEAD.size + length)
            out = cls(
                index=_count(head["frame"]),
                time_s=_number(head["time_s"]),
                picture=int(head["picture"]),
                tracks=int(head["tracks"]),
                detections=Detections(
                    arrays.take(F32, n, 4), arrays.take(F32, n), arrays.take(I64, n)
                ),
                detect_ms=_number(head["detect_ms"]),
                admitted=[_count(n) for n in head["admitted"]],
                batches=batches,
                vectors=arrays.take(F32, sum(rows for rows, _ in batches), dim),
            )
        except (struct.error, ValueError, KeyError, TypeError, RecursionError) as error:
            raise DamagedError("no frame") from error
        arrays.finish()
        return out


class _Arrays:
    """Takes arrays off the end of a record, one after another."""

    def __init__(self, data: bytes, offset: int) -> None:
        self._data, self._offset = data, offset

    def take(self, kind: np.dtype[Any], *shape: int) -> NDArray[Any]:
        """The next array of that kind and shape, in memory of its own."""
        count = math.prod(shape)
        values = np.frombuffer(self._data, kind, count, self._offset)
        self._offset += count * kind.itemsize
        return values.reshape(shape).astype(kind.newbyteorder("="))

    def finish(self) -> None:
        """Nothing may be left over."""
        if self._offset != len(self._data):
            raise DamagedError("bytes are left over")


def _count(value: object) -> int:
    if type(value) is not int or not 0 <= value <= MOST * 1000:
        raise DamagedError("no count")
    return value


def _number(value: object) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):  # type: ignore[arg-type]
        raise DamagedError("no number")
    return float(value)  # type: ignore[arg-type]


def look_of(frame: Frame) -> int:
    """A checksum of some of a picture's rows, to tell it from others in microseconds."""
    size = f"{frame.width}x{frame.height}".encode()
    rows = [frame.height * (2 * number + 1) // (2 * LOOKS) for number in range(LOOKS)]
    return zlib.crc32(frame.image[rows].tobytes(), zlib.crc32(size))


def proof_of(tracks: Tracks) -> int:
    """A checksum of who is tracked and by which detection: the same only for the same tracks."""
    out = 0
    for column in (tracks.id, tracks.detection, tracks.state, tracks.fresh):
        out = zlib.crc32(column.tobytes(), out)
    return out
