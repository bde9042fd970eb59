"""`--serve`: one page for one run, from before its first frame until a moment after its last."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from time import monotonic, sleep
from typing import Any, Self

from mot_dinov3.config import DrawConfig
from mot_dinov3.outputs.serve.figures import LiveFigures
from mot_dinov3.outputs.serve.handler import PageHandler
from mot_dinov3.outputs.serve.picture import LivePicture
from mot_dinov3.outputs.serve.server import PageServer
from mot_dinov3.runtime.statistics import RunStatistics
from mot_dinov3.values import Frame, FrameResult

LINGER_S = 1.5
"""Seconds for which a page that is watched stays after the run, so that a browser learns of it."""


@dataclass(frozen=True, slots=True)
class PageSubject:
    """What the page shows beside the counters.

    Attributes:
        name: of the file, or of the source without credentials.
        total: number of frames that are expected, 0 if unknown.
        names: class id -> name.
        condition: returns the present state of a live source, "" for any other source.
        faults: returns the faults of the source so far: kind -> how often.
    """

    name: str
    total: int
    names: Mapping[int, str]
    condition: Callable[[], str]
    faults: Callable[[], Mapping[str, int]]


class LivePage:
    """A web page with the pictures and counters of a run; a sink of the loop.

    The port is taken when the page is made, so that a port in use is known before any work is
    done. Requests are answered inside its context. A frame costs the loop next to nothing,
    whether the page is watched or not.

    Attributes:
        url: its address, the secret included.

    Raises:
        UsageError: when it is made: the address is in use or does not exist.
    """

    def __init__(
        self, address: tuple[str, int], draw: DrawConfig, ask_stop: Callable[[], None]
    ) -> None:
        """Take the port.

        Args:
            address: host and port, 0 for any free port.
            draw: how tracks are drawn.
            ask_stop: called when a viewer asks for the end of the run.
        """
        self._live, self._picture = LiveFigures(), LivePicture(draw)
        self._subject: PageSubject | None = None
        self._stopping = False
        self._end_was_sent = False
        self._ask_stop = ask_stop
        handler = partial(
            PageHandler, picture=self._picture, figures=self._figures, ask_stop=self._stop
        )
        self._server = PageServer(*address, handler)
        self.url = self._server.url

    def set_subject(self, subject: PageSubject) -> None:
        """Say what is tracked, before the run begins."""
        self._picture.names, self._live.total = subject.names, subject.total
        self._subject = subject

    def __enter__(self) -> Self:
        self._picture.__enter__()
        self._server.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._live.end()
        self._picture.__exit__()
        until_s = monotonic() + LINGER_S
        while self._live.is_watched() and not self._end_was_sent and monotonic() < until_s:
            sleep(0.05)
        self.close()

    def close(self) -> None:
        """Give the port back; calling it again does nothing."""
        self._server.close()

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Take one more frame; only the newest is ever drawn, elsewhere."""
        self._picture.show(frame, result)

    def update(self, result: FrameResult, statistics: RunStatistics) -> None:
        """Take the counters of one more frame."""
        self._live.update(result, statistics)

    def _stop(self) -> None:
        self._stopping = True
        self._ask_stop()

    def _figures(self) -> dict[str, Any]:
        out = self._live.read()
        out["stopping"] = self._stopping
        if (subject := self._subject) is not None:
            out |= {"name": subject.name, "condition": subject.condition()}
            out["faults"] = dict(subject.faults())
        self._end_was_sent = self._live.over
        return out
