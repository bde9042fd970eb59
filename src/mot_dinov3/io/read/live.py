"""Frames of a camera or a stream: the newest ones, over dropouts, at the times that passed."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from time import monotonic, sleep
from typing import Self

import av

from mot_dinov3.config import LiveConfig, SourceConfig
from mot_dinov3.errors import InputError
from mot_dinov3.io.info import SourceInfo
from mot_dinov3.io.pictures import PictureMaker
from mot_dinov3.io.read.clock import LiveClock
from mot_dinov3.io.read.connection import ArrivedFrame, Connection, LiveAddress
from mot_dinov3.io.read.selection import FrameSelection
from mot_dinov3.values import Frame, Image

log = logging.getLogger("mot_dinov3")

POLL_S = 0.1
"""How soon a request to stop is noticed while nothing comes."""
FIRST_WAIT_S, MOST_WAIT_S = 0.5, 30.0
"""Seconds before the first try to connect again, doubled with each try, and their limit."""

ENDLESS = -1
"""`--reconnect` without a limit."""

CONNECTED, ENDED = "connected", "it ended"


class LiveReader:
    """Reads a live source in threads beside the caller's, one for each connection.

    By default only the newest picture waits; older ones that were not taken in time are
    `dropped`. Times are the source's own while it is connected and the wall clock's over gaps,
    so that tracks age by real time; a gap has no frames. A source that comes back in another
    size is fitted into the first one.

    A file behind an address is not a live source, though it is read like one: nothing of it is
    dropped, and its end is the end.

    Attributes:
        info: what is being read.
        condition: the state of the connection for people: "connected" or what it waits for.

    Raises:
        InputError: at birth, when the source does not answer or gives no picture.
    """

    def __init__(
        self,
        address: LiveAddress,
        config: SourceConfig,
        live: LiveConfig,
        stopped: Callable[[], bool] | None = None,
    ) -> None:
        """Connect and wait for the first picture.

        Args:
            address: the source.
            config: which frames are wanted.
            live: what to do about dropouts.
            stopped: asked while nothing comes: whether to end.
        """
        self.condition = CONNECTED
        self._address, self._live = address, live
        self._stopped = stopped or (lambda: False)
        self._selection = FrameSelection(config)
        self._pictures = PictureMaker()
        self._clock = LiveClock()
        self._counted: Counter[str] = Counter()
        self._lost = False
        self._tries, self._since_s = 0, monotonic()
        self._connection = self._connect(0)
        try:
            self._first: ArrivedFrame | None = self._wait_for_picture()
        except BaseException:
            self._connection.close(wait=False)
            raise
        width, height = self._pictures.size or (0, 0)
        self.info = SourceInfo(
            name=address.name,
            width=width,
            height=height,
            fps=self._connection.fps,
            frame_count=0,
            is_live=not self._connection.recorded,
            path=None,
            pixel_aspect=self._pictures.turn_aspect(self._connection.pixel_aspect),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        self._connection.close()

    @property
    def faults(self) -> Counter[str]:
        """What was wrong so far, kind -> how often: damage, `dropped`, `gaps`, `reconnects`."""
        now = Counter(dropped=self._connection.queue.dropped)
        return +(self._counted + self._connection.faults.copy() + now)

    @property
    def partial(self) -> bool:
        """Whether the source was lost for good; damage and gaps on the way are usual."""
        return self._lost

    def __iter__(self) -> Iterator[Frame]:
        arrived = self._take_first()
        while arrived is not None:
            image = self._convert(arrived)
            self._clock.most_late_s = self._connection.most_late_s
            time_s = self._clock.convert(arrived.stamp_s, arrived.arrived_s, arrived.waited_s)
            if image is not None and self._selection.wants(arrived.index):
                yield Frame(arrived.index, time_s, image)
            if self._stopped() or self._selection.is_past(arrived.index + 1):
                return
            arrived = self._wait_for_next()
        if not self._stopped():
            self._selection.require_start(self.info.name, self._connection.received)

    def _take_first(self) -> ArrivedFrame | None:
        """Take the picture to begin with; what came while the models were loaded is dropped."""
        queue, first = self._connection.queue, self._first
        self._first = None
        if queue.newest:
            queue.dropped = 0
            first = queue.take(0.0) or first
        return first

    def _wait_for_next(self) -> ArrivedFrame | None:
        """Wait for the next picture, also over a dropout; None at the end or when stopped."""
        arrived = self._wait(self._live.read_timeout)
        if arrived is not None or self._stopped():
            return arrived
        reason = self._explain_end()
        if self._connection.recorded or not self._live.reconnect:
            self._lost = reason != ENDED
            return None
        self._counted["gaps"] += 1
        return self._connect_again(reason)

    def _connect_again(self, reason: str) -> ArrivedFrame | None:
        """Connect again after a dropout; None when the tries are used up or when stopped."""
        lost_s, most = monotonic(), self._live.reconnect
        if lost_s - self._since_s > retry_delay_s(self._tries):
            self._tries = 0  # else it broke off at once, which is no better than a failed try
        while most == ENDLESS or self._tries < most:
            self._tries += 1
            self._report_try(reason)
            arrived = self._reconnect(retry_delay_s(self._tries))
            if arrived is not None:
                self._counted["reconnects"] += 1
                self.condition, self._since_s = CONNECTED, monotonic()
                log.warning("'%s' is back after %.1f s.", self.info.name, self._since_s - lost_s)
                return arrived
            if self._stopped():
                return None
            reason = self._explain_end()
        self._lost = True
        return None

    def _reconnect(self, wait_s: float) -> ArrivedFrame | None:
        """Try once to connect, after `wait_s`; returns the first picture, None without one."""
        self._retire(self._connection)
        until_s = monotonic() + wait_s
        while monotonic() < until_s:
            sleep(POLL_S)
            if self._stopped():
                return None
        self._connection = self._connect(self._connection.received)
        self._clock.mark_gap()
        return self._wait(self._address.answer_s + self._live.read_timeout)

    def _report_try(self, reason: str) -> None:
        of = "" if self._live.reconnect == ENDLESS else f" of {self._live.reconnect}"
        self.condition = f"lost ({reason}), try {self._tries}{of} to connect again"
        log.warning(
            "'%s' dropped out (%s): try %d%s to connect again in %g s.",
            self.info.name,
            reason,
            self._tries,
            of,
            retry_delay_s(self._tries),
        )

    def _connect(self, received: int) -> Connection:
        place, newest = self._selection.has_place, not self._live.no_drop
        return Connection(self._address, received, place, newest=newest)

    def _retire(self, connection: Connection) -> None:
        """Close a connection and keep its counts, once."""
        connection.close(wait=False)
        self._counted += connection.faults.copy()
        self._counted["dropped"] += connection.queue.dropped
        connection.faults, connection.queue.dropped = Counter(), 0

    def _wait(self, patience_s: float) -> ArrivedFrame | None:
        """Wait for a picture; None at an end, when stopped, and after `patience_s` of silence."""
        queue, began_s = self._connection.queue, monotonic()
        while True:
            arrived = queue.take(min(POLL_S, patience_s))
            silent_s = monotonic() - max(began_s, self._connection.last_arrival_s)
            if arrived is not None or queue.ended or self._stopped() or silent_s > patience_s:
                return arrived

    def _explain_end(self) -> str:
        """Say why pictures stopped, in words that fit into brackets.

        Raises:
            Exception: the thread failed by a bug.
        """
        queue = self._connection.queue
        if not queue.ended:
            return f"nothing came for {self._live.read_timeout:g} s"
        if isinstance(queue.error, InputError):
            return queue.error.what.removesuffix(".")
        if queue.error is not None:
            raise queue.error
        return self._connection.failure or ENDED

    def _wait_for_picture(self) -> ArrivedFrame:
        """Wait for the first picture that can be converted, which tells the size.

        Raises:
            InputError: the source gives none.
        """
        arrived = self._wait(self._address.answer_s + self._live.read_timeout)
        while arrived is not None:
            if self._convert(arrived) is not None:
                return arrived
            arrived = self._wait(self._live.read_timeout)
        queue = self._connection.queue
        if queue.error is not None:
            raise queue.error
        silent = "holds no frame that can be decoded" if queue.ended else "sends no picture"
        raise InputError(
            f"'{self._address.name}' {silent}.",
            fix="Check that it plays elsewhere; --read-timeout says how long to wait for it.",
        )

    def _convert(self, arrived: ArrivedFrame) -> Image | None:
        try:
            picture = self._pictures.from_frame(arrived.frame)
        except (av.FFmpegError, ValueError):
            self._counted["corrupt_frames"] += 1
            return None
        self._counted["size_changes"] = self._pictures.size_changes
        return picture


def retry_delay_s(attempt: int) -> float:
    """Seconds to wait before try `attempt` (from 1) to connect again; 0 where there is none."""
    return min(MOST_WAIT_S, FIRST_WAIT_S * 2 ** min(attempt - 1, 16)) if attempt else 0.0
