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
from mot_dinov3.io.read.connection import Arrived, Connection, Line
from mot_dinov3.io.read.selection import FrameSelection
from mot_dinov3.values import Frame, Image

log = logging.getLogger("mot_dinov3")

POLL_S = 0.1
"""How soon a wish to stop is heard while nothing comes."""
FIRST_WAIT_S, MOST_WAIT_S = 0.5, 30.0
"""Seconds before the first try to connect again, doubled with each try, and their limit."""

ENDLESS = -1
"""`--reconnect` without a limit."""

CONNECTED, ENDED = "connected", "it ended"


class LiveReader:
    """Reads a live source in threads beside the caller's, one for each connection.

    Unless told otherwise only the newest picture waits; older ones that nobody took in time are
    `dropped`. Times are the source's own while it is connected and the wall clock's over gaps,
    so that tracks age by real time; a gap has no frames. A source that comes back in another
    size is fitted into the first one.

    A file behind an address is no live source, though it is read like one: nothing of it is
    dropped, and its end is the end.

    Attributes:
        info: what is being read.
        condition: how the line is, for people: "connected" or what it waits for.

    Raises:
        InputError: at birth, when the source does not answer or gives no picture.
    """

    def __init__(
        self,
        line: Line,
        config: SourceConfig,
        live: LiveConfig,
        stopped: Callable[[], bool] | None = None,
    ) -> None:
        """Connect and wait for the first picture.

        Args:
            line: the source.
            config: which frames are wanted.
            live: what to do about dropouts.
            stopped: asked while nothing comes: whether to end.
        """
        self.condition = CONNECTED
        self._line, self._live = line, live
        self._stopped = stopped or (lambda: False)
        self._selection = FrameSelection(config)
        self._pictures = PictureMaker()
        self._clock = LiveClock()
        self._counted: Counter[str] = Counter()
        self._lost = False
        self._tries, self._since_s = 0, monotonic()
        self._connection = self._connect(0)
        try:
            self._first: Arrived | None = self._first_picture()
        except BaseException:
            self._connection.close(0.0)
            raise
        width, height = self._pictures.size or (0, 0)
        self.info = SourceInfo(
            name=line.name,
            width=width,
            height=height,
            fps=self._connection.fps,
            frame_count=0,
            is_live=not self._connection.recorded,
            path=None,
            pixel_aspect=self._pictures.upright(self._connection.pixel_aspect),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        self._connection.close()

    @property
    def faults(self) -> Counter[str]:
        """What was wrong so far, kind -> how often: damage, `dropped`, `gaps`, `reconnects`."""
        now = Counter(dropped=self._connection.inbox.dropped)
        return +(self._counted + self._connection.faults.copy() + now)

    @property
    def partial(self) -> bool:
        """Whether the line was lost for good; damage and gaps on the way are its nature."""
        return self._lost

    def __iter__(self) -> Iterator[Frame]:
        arrived = self._begin()
        while arrived is not None:
            image = self._picture(arrived)
            self._clock.most_late_s = self._connection.most_late_s
            time_s = self._clock.tell(arrived.stamp_s, arrived.arrived_s)
            if image is not None and self._selection.wants(arrived.index):
                yield Frame(arrived.index, time_s, image)
            if self._stopped() or self._selection.is_past(arrived.index + 1):
                return
            arrived = self._next()
        if not self._stopped():
            self._selection.require_start(self.info.name, self._connection.received)

    def _begin(self) -> Arrived | None:
        """The picture to begin with: what came while the models were loaded is past."""
        inbox, first = self._connection.inbox, self._first
        self._first = None
        if inbox.newest:
            inbox.dropped = 0
            first = inbox.take(0.0) or first
        return first

    def _next(self) -> Arrived | None:
        """The next picture, be it after a dropout; None at the end or when told to stop."""
        arrived = self._wait(self._live.read_timeout)
        if arrived is not None or self._stopped():
            return arrived
        reason = self._why_it_ended()
        if self._connection.recorded or not self._live.reconnect:
            self._lost = reason != ENDED
            return None
        self._counted["gaps"] += 1
        return self._connect_again(reason)

    def _connect_again(self, reason: str) -> Arrived | None:
        """The first picture after a dropout; None when the tries are used up or at a stop."""
        lost_s, most = monotonic(), self._live.reconnect
        if lost_s - self._since_s > waiting_s(self._tries):
            self._tries = 0  # else it broke off at once, which is no better than a failed try
        while most == ENDLESS or self._tries < most:
            self._tries += 1
            self._tell_of_try(reason)
            arrived = self._try(waiting_s(self._tries))
            if arrived is not None:
                self._counted["reconnects"] += 1
                self.condition, self._since_s = CONNECTED, monotonic()
                log.warning("'%s' is back after %.1f s.", self.info.name, self._since_s - lost_s)
                return arrived
            if self._stopped():
                return None
            reason = self._why_it_ended()
        self._lost = True
        return None

    def _try(self, wait_s: float) -> Arrived | None:
        """The first picture of a new connection, after a wait; None where there is none."""
        self._retire(self._connection)
        until_s = monotonic() + wait_s
        while monotonic() < until_s:
            sleep(POLL_S)
            if self._stopped():
                return None
        self._connection = self._connect(self._connection.received)
        self._clock.gap()
        return self._wait(self._line.answer_s + self._live.read_timeout)

    def _tell_of_try(self, reason: str) -> None:
        of = "" if self._live.reconnect == ENDLESS else f" of {self._live.reconnect}"
        self.condition = f"lost ({reason}), try {self._tries}{of} to connect again"
        log.warning("'%s' dropped out (%s): try %d%s to connect again in %g s.", self.info.name,
                    reason, self._tries, of, waiting_s(self._tries))  # fmt: skip

    def _connect(self, received: int) -> Connection:
        place, newest = self._selection.has_place, not self._live.no_drop
        return Connection(self._line, received, place, newest=newest)

    def _retire(self, connection: Connection) -> None:
        """Let a connection go and keep its counts, once."""
        connection.close(0.0)
        self._counted += connection.faults.copy()
        self._counted["dropped"] += connection.inbox.dropped
        connection.faults, connection.inbox.dropped = Counter(), 0

    def _wait(self, patience_s: float) -> Arrived | None:
        """What comes next; None at an end, at a stop and when nothing is heard for too long."""
        inbox, began_s = self._connection.inbox, monotonic()
        while True:
            arrived = inbox.take(min(POLL_S, patience_s))
            silent_s = monotonic() - max(began_s, self._connection.heard_s)
            if arrived is not None or inbox.ended or self._stopped() or silent_s > patience_s:
                return arrived

    def _why_it_ended(self) -> str:
        """The reason of a dropout, as people read it in brackets.

        Raises:
            Exception: it was a bug of ours.
        """
        inbox = self._connection.inbox
        if not inbox.ended:
            return f"nothing came for {self._live.read_timeout:g} s"
        if isinstance(inbox.error, InputError):
            return inbox.error.what.removesuffix(".")
        if inbox.error is not None:
            raise inbox.error
        return self._connection.failure or ENDED

    def _first_picture(self) -> Arrived:
        """The first picture that can be converted, which tells the size.

        Raises:
            InputError: there is none.
        """
        arrived = self._wait(self._line.answer_s + self._live.read_timeout)
        while arrived is not None:
            if self._picture(arrived) is not None:
                return arrived
            arrived = self._wait(self._live.read_timeout)
        inbox = self._connection.inbox
        if inbox.error is not None:
            raise inbox.error
        silent = "holds no frame that can be decoded" if inbox.ended else "sends no picture"
        raise InputError(
            f"'{self._line.name}' {silent}.",
            fix="Check that it plays elsewhere; --read-timeout says how long to wait for it.",
        )

    def _picture(self, arrived: Arrived) -> Image | None:
        try:
            picture = self._pictures.from_frame(arrived.frame)
        except (av.FFmpegError, ValueError):
            self._counted["corrupt_frames"] += 1
            return None
        self._counted["size_changes"] = self._pictures.size_changes
        return picture


def waiting_s(attempt: int) -> float:
    """Seconds to wait before try `attempt` (from 1) to connect again; 0 where there is none."""
    return min(MOST_WAIT_S, FIRST_WAIT_S * 2 ** min(attempt - 1, 16)) if attempt else 0.0
