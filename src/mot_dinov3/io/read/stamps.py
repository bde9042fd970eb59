"""When a decoded picture is to be shown: which of a container's two stamps says so.

Some containers store presentation times, others only the order of decoding. Where a codec
reorders its pictures, libav hands out decode times as presentation times for the latter, and they
jump back and forth.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain

import av
from av.container import InputContainer
from av.video.stream import VideoStream

NO_TIMESTAMPS = 0x0080
"""AVFMT_NOTIMESTAMPS: libav makes the times up from a rate that it assumes."""
ORDER_ONLY = ("asf", "avi", "mxf")
"""Formats whose packets have only a place in the order of decoding."""
PARTLY_STAMPED = "mpeg"
"""Program streams stamp some pictures, and their parser may give one stamp to two of them."""
MOST_REORDERED = 17
"""Pictures among which a disorder must show: the deepest reordering of H.264, and one."""


class PresentationStamps:
    """Chooses the stamp of each picture, in the order of presentation.

    Attributes:
        stamped: whether the container has times at all.
        in_doubt: the codec may reorder its pictures, but the times of all packets so far ascend
            as they are decoded: the order of the first pictures must tell what they stand for.
    """

    def __init__(self, container: InputContainer, stream: VideoStream) -> None:
        name = container.format.name
        self.stamped = not container.format.flags & NO_TIMESTAMPS
        self._by_order = name in ORDER_ONLY
        self._partly = name == PARTLY_STAMPED
        self._base = stream.time_base or Fraction(1)
        self._last: int | None = None
        self._noted: int | None = None
        self.in_doubt = self.stamped and not self._by_order and stream.codec_context.has_b_frames

    def note(self, packet: av.Packet[VideoStream]) -> None:
        """Look at a packet of the stream before it is decoded."""
        if packet.pts is not None:
            self.in_doubt = self.in_doubt and (self._noted is None or packet.pts > self._noted)
            self._noted = packet.pts

    def settle(self, frames: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
        """The same frames; some are decoded ahead where the first ones must settle the doubt."""
        held = []
        for frame in frames:
            held.append(frame)
            if not self.in_doubt or len(held) == MOST_REORDERED:
                break
        if self.in_doubt:
            shown = [frame.pts for frame in held if frame.pts is not None]
            self._by_order = shown != sorted(shown)
            self.in_doubt = False
        yield from chain(held, frames)

    def choose_s(self, frame: av.VideoFrame) -> float | None:
        """When a frame is to be shown, in seconds on the container's clock, None if unknown."""
        stamp = frame.dts if self._by_order else frame.pts
        if not self.stamped or stamp is None or (self._partly and stamp == self._last):
            return None
        self._last = stamp
        return float(stamp * self._base)
