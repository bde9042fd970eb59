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
"""How long the page waits, if it is watched, for whoever watches to hear that it is over."""


@dataclass(frozen=True, slots=True)
class PageSubject:
    """What the page shows beside the counters.

    Attributes:
        name: of the source, without credentials.
        total: frames expected, 0 if unknown.
        names: class id -> name.
        condition: how a live source is just now, "" for one that is none.
        faults: what was wrong with the input so far: kind -> how often.
    """

    name: str
    total: int
    names: Mapping[int, str]
    condition: Callable[[], str]
    faults: Callable[[], Mapping[str, int]]


class LivePage:
    """A web page with the pictures and counters of a run; a sink of the loop.

    It listens from its birth on, so that a port that is taken ends nothing but the start. In its
    context it answers. What it is told costs the loop next to nothing, whoever watches.

    Attributes:
        url: its address, the secret included.

    Raises:
        UsageError: at birth, when the address is not to be had.
    """

    def __init__(
        self, address: tuple[str, int], draw: DrawConfig, ask_stop: Callable[[], None]
    ) -> None:
        """Args: host and port (0 for a free one); how tracks look; hears the wish to stop."""
        self._board, self._screen = LiveFigures(), LivePicture(draw)
        self._subject: PageSubject | None = None
        self._stopping = False
        self._heard_end = 0
        self._ask_stop = ask_stop
        handler = partial(
            PageHandler, screen=self._screen, figures=self._figures, ask_stop=self._stop
        )
        self._server = PageServer(*address, handler)
        self.url = self._server.url

    def introduce(self, subject: PageSubject) -> None:
        """Hear what the run is about, before it begins."""
        self._screen.names, self._board.total = subject.names, subject.total
        self._subject = subject

    def __enter__(self) -> Self:
        self._screen.__enter__()
        self._server.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._board.end()
        self._screen.__exit__()
        until_s = monotonic() + LINGER_S
        while self._board.is_watched() and not self._heard_end and monotonic() < until_s:
            sleep(0.05)
        self.close()

    def close(self) -> None:
        """Give the port back; more than once does no harm."""
        self._server.close()

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Take one more frame; only the newest is ever drawn, elsewhere."""
        self._screen.show(frame, result)

    def tell(self, result: FrameResult, statistics: RunStatistics) -> None:
        """Take the counters of one more frame."""
        self._board.tell(result, statistics)

    def _stop(self) -> None:
        self._stopping = True
        self._ask_stop()

    def _figures(self) -> dict[str, Any]:
        out = self._board.figures()
        out["stopping"] = self._stopping
        if (subject := self._subject) is not None:
            out |= {"name": subject.name, "condition": subject.condition()}
            out["faults"] = dict(subject.faults())
        self._heard_end += self._board.over
        return out
