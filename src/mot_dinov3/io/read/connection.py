"""One connection to a live source, opened and read in a thread of its own."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

import av
from av.container import InputContainer

from mot_dinov3.io.info import DEFAULT_FPS, SQUARE
from mot_dinov3.io.read.clock import MOST_LATE_S, MOST_LEAD_S
from mot_dinov3.io.read.decoding import StreamDecoder
from mot_dinov3.runtime.queues import BoundedQueue
from mot_dinov3.runtime.threads import WaitableThread

PATIENCE_S = 1.0
"""Seconds that closing waits for a thread that may hang in a read."""
WAITING = 8
"""Pictures that may wait where none is dropped: the source waits from there on."""
PLAYLISTS = ("hls", "dash")
"""Formats in which the size that is known is that of a list."""


@dataclass(frozen=True, slots=True)
class LiveAddress:
    """How to reach a live source.

    Attributes:
        name: how messages call it: without credentials.
        connect: opens it; may take its time, and raises `InputError` where it cannot.
        answer_s: after how many seconds without an answer it counts as unreachable.
    """

    name: str
    connect: Callable[[], InputContainer]
    answer_s: float


@dataclass(frozen=True, slots=True)
class ArrivedFrame:
    """A picture that arrived, not converted yet: many are dropped.

    Attributes:
        frame: as it was decoded.
        index: 0-based position in the source, dropped ones counted.
        stamp_s: its time on the source's clock, None where the source has none.
        arrived_s: when it came, on the monotonic clock.
        waited_s: how long the source had to wait for room before it.
    """

    frame: av.VideoFrame
    index: int
    stamp_s: float | None
    arrived_s: float
    waited_s: float


class Connection:
    """Receives pictures from its birth on; a thread that hangs in a read is left behind.

    Attributes:
        queue: where the pictures wait.
        recorded: it has an end of its own, as a file behind an address has; nothing of that is
            dropped. Known once a picture or an end has come.
        fps: nominal rate, known as late.
        pixel_aspect: width over height of a stored pixel, known as late.
        most_late_s: delay from which on a picture follows a gap, known as late.
        failure: the system's reason where it broke off, "" where it came to an end.
        received: pictures so far, those of earlier connections included.
        last_arrival_s: when the latest came, wanted or not, on the monotonic clock.
        faults: damage that was met: kind -> how often, zeros included.
    """

    def __init__(
        self,
        address: LiveAddress,
        received: int,
        has_place: Callable[[int], bool],
        *,
        newest: bool,
    ) -> None:
        """Start connecting.

        Args:
            address: the source.
            received: pictures of earlier connections.
            has_place: whether the picture of an index may be tracked at all.
            newest: whether only the newest picture waits.
        """
        self.recorded = False
        self.fps, self.most_late_s = DEFAULT_FPS, MOST_LATE_S
        self.pixel_aspect = SQUARE
        self.failure = ""
        self.received, self.last_arrival_s = received, monotonic()
        self.faults: Counter[str] = Counter()
        self.queue: BoundedQueue[ArrivedFrame] = BoundedQueue(
            1 if newest else WAITING, newest=newest
        )
        self._address, self._has_place = address, has_place
        self._thread = WaitableThread(self._run, "live-source")
        self._thread.start()

    def close(self, *, wait: bool = True) -> None:
        """Take nothing more; `wait` at most `PATIENCE_S` for the thread, whose read may hang."""
        self.queue.leave()
        self._thread.wait(PATIENCE_S if wait else 0.0)

    def _run(self) -> None:
        try:
            container = self._address.connect()
            try:
                self._receive(container)
            finally:
                container.close()
        except Exception as error:
            # Raised again, or reported, where the pictures are taken.
            self.queue.end(error)
        else:
            self.queue.end()

    def _receive(self, container: InputContainer) -> None:
        decoder = StreamDecoder(container, self._address.name, lambda: self.queue.left)
        self.faults, self.fps = decoder.faults, decoder.fps
        self.pixel_aspect = decoder.pixel_aspect
        self.recorded = is_recorded(container)
        self.queue.newest = self.queue.newest and not self.recorded
        if container.format.name.startswith(PLAYLISTS):
            self.most_late_s = MOST_LEAD_S
        if self.recorded:
            self.most_late_s = math.inf
        first, waited_s = self.received, 0.0
        for frame in decoder:
            index, self.received = self.received, self.received + 1
            arrived_s = self.last_arrival_s = monotonic()
            stamp_s = decoder.stamp_s(frame)
            # The first one shows that the source is there, and its size, wanted or not.
            wanted = index == first or self._has_place(index)
            if not wanted:
                continue
            if not self.queue.put(ArrivedFrame(frame, index, stamp_s, arrived_s, waited_s)):
                break
            waited_s = monotonic() - arrived_s
        self.failure = decoder.failure


def is_recorded(container: InputContainer) -> bool:
    """Whether a container behind an address has an end of its own: it knows its length."""
    if container.duration:
        return True
    return container.size > 0 and not container.format.name.startswith(PLAYLISTS)
