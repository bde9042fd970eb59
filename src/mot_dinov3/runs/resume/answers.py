"""What the models answered in one frame, as one record of the run journal."""

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
"""How a record begins: the length of the JSON that follows; the arrays come after that."""

F32, I64 = np.dtype("<f4"), np.dtype("<i8")
MS_DIGITS = 4
"""Decimals of milliseconds."""

MOST_COUNT = 10**10
"""No frame number and no count of rows or values is higher; one that is shows damage."""

PICTURE_ROWS = 5
"""Rows of pixels in the checksum of a picture: whole rows are read fastest."""


class DamagedError(ValueError):
    """The bytes of a record are not a frame, although their checksum is right."""


@dataclass(frozen=True, slots=True)
class FrameAnswers:
    """The answers of the models in one frame, and checksums of what they led to.

    Attributes:
        index: 0-based index of the frame in the source.
        time_s: its time in seconds.
        picture: `picture_checksum` of the frame.
        tracks: `tracks_checksum` of the result.
        detections: of the detector; none from a system that does not record any.
        detect_ms: milliseconds of detection.
        admitted: how many crops the budget let through, each time that it was asked.
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

    def pack(self) -> tuple[bytes, ...]:
        """The answers as bytes, in pieces: lengths and small values as JSON, then the arrays."""
        found = self.detections
        head = {
            "frame": self.index,
            "time_s": self.time_s,
            "picture": self.picture,
            "tracks": self.tracks,
            "detections": len(found),
            "detect_ms": round(self.detect_ms, MS_DIGITS),
            "admitted": list(self.admitted),
            "batches": [[n, round(ms, MS_DIGITS)] for n, ms in self.batches],
            "dim": self.vectors.shape[1],
        }
        text = json.dumps(head).encode()
        arrays = (found.xyxy, F32), (found.score, F32), (found.class_id, I64), (self.vectors, F32)
        data = (array.astype(kind, copy=False).tobytes() for array, kind in arrays)
        return (HEAD.pack(len(text)), text, *data)

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """The answers from the bytes of `pack`.

        Raises:
            DamagedError: these bytes are not a frame.
        """
        try:
            (length,) = HEAD.unpack_from(data)
            head = json.loads(data[HEAD.size : HEAD.size + length])
            n, dim = _read_count(head["detections"]), _read_count(head["dim"])
            batches = [(_read_count(rows), _read_number(ms)) for rows, ms in head["batches"]]
            arrays = _Arrays(data, HEAD.size + length)
            out = cls(
                index=_read_count(head["frame"]),
                time_s=_read_number(head["time_s"]),
                picture=int(head["picture"]),
                tracks=int(head["tracks"]),
                detections=Detections(
                    arrays.take(F32, n, 4), arrays.take(F32, n), arrays.take(I64, n)
                ),
                detect_ms=_read_number(head["detect_ms"]),
                admitted=[_read_count(n) for n in head["admitted"]],
                batches=batches,
                vectors=arrays.take(F32, sum(rows for rows, _ in batches), dim),
            )
        except (struct.error, ValueError, KeyError, TypeError, RecursionError) as error:
            raise DamagedError("not a frame") from error
        arrays.finish()
        return out


class _Arrays:
    """Reads the arrays of a record, one after another."""

    def __init__(self, data: bytes, offset: int) -> None:
        self._data, self._offset = data, offset

    def take(self, kind: np.dtype[Any], *shape: int) -> NDArray[Any]:
        """The next array of that kind and shape, copied out of the record."""
        count = math.prod(shape)
        values = np.frombuffer(self._data, kind, count, self._offset)
        self._offset += count * kind.itemsize
        return values.reshape(shape).astype(kind.newbyteorder("="))

    def finish(self) -> None:
        """Require that the arrays end with the record.

        Raises:
            DamagedError: bytes are left over.
        """
        if self._offset != len(self._data):
            raise DamagedError("bytes are left over")


def _read_count(value: object) -> int:
    """A count out of JSON, where any value may stand."""
    if type(value) is not int or not 0 <= value <= MOST_COUNT:
        raise DamagedError("not a count")
    return value


def _read_number(value: object) -> float:
    """A finite number out of JSON, where any value may stand."""
    if type(value) not in (int, float) or not math.isfinite(value):  # type: ignore[arg-type]
        raise DamagedError("not a number")
    return float(value)  # type: ignore[arg-type]


def picture_checksum(frame: Frame) -> int:
    """A checksum of some rows of a picture, which tells it from others in microseconds."""
    size = f"{frame.width}x{frame.height}".encode()
    # The middle row of each of so many equal bands.
    rows = [frame.height * (2 * number + 1) // (2 * PICTURE_ROWS) for number in range(PICTURE_ROWS)]
    return zlib.crc32(frame.image[rows].tobytes(), zlib.crc32(size))


def tracks_checksum(tracks: Tracks) -> int:
    """A checksum of ids, detections and states: the same only for the same tracks."""
    out = 0
    for column in (tracks.id, tracks.detection, tracks.state, tracks.fresh):
        out = zlib.crc32(column.tobytes(), out)
    return out
