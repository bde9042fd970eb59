"""One run as a page shows it: its newest picture, its figures, and its end on request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from mot_dinov3.config import DrawConfig
from mot_dinov3.outputs.serve.figures import LiveFigures
from mot_dinov3.outputs.serve.picture import LivePicture
from mot_dinov3.runtime.statistics import RunStatistics
from mot_dinov3.values import Frame, FrameResult


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


class LiveView:
    """The pictures and counters of a run; a sink of the loop.

    A frame costs the loop next to nothing, whether the page is watched or not.

    Attributes:
        url: address of the page, "" where the view is a part of one.
        picture: the newest one.
    """

    url = ""

    def __init__(self, draw: DrawConfig, ask_stop: Callable[[], None]) -> None:
        """Show nothing yet.

        Args:
            draw: how tracks are drawn.
            ask_stop: called when a viewer asks for the end of the run.
        """
        self.picture = LivePicture(draw)
        self._live = LiveFigures()
        self._subject: PageSubject | None = None
        self._stopping = False
        self._end_was_sent = False
        self._ask_stop = ask_stop

    def set_subject(self, subject: PageSubject) -> None:
        """Say what is tracked, before the run begins."""
        self.picture.names, self._live.total = subject.names, subject.total
        self._subject = subject

    def __enter__(self) -> Self:
        self.picture.__enter__()
        return self

    def __exit__(self, *problem: object) -> None:
        self.finish()
        self.picture.__exit__()

    def finish(self) -> None:
        """Note that there will be no more frames."""
        self._live.end()

    @property
    def awaits_end(self) -> bool:
        """Whether a browser is watching that has not learned of the end yet."""
        return self._live.is_watched() and not self._end_was_sent

    @property
    def condition(self) -> str:
        """The present state of a live source, "" for any other source."""
        return self._subject.condition() if self._subject is not None else ""

    @property
    def faults(self) -> Mapping[str, int]:
        """The faults of the source so far: kind -> how often."""
        return self._subject.faults() if self._subject is not None else {}

    def close(self) -> None:
        """Nothing is held open."""

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Take one more frame; only the newest is ever drawn, elsewhere."""
        self.picture.show(frame, result)

    def update(self, result: FrameResult, statistics: RunStatistics) -> None:
        """Take the counters of one more frame."""
        self._live.update(result, statistics)

    def stop(self) -> None:
        """End the run, as a viewer asks."""
        self._stopping = True
        self._ask_stop()

    def figures(self) -> dict[str, Any]:
        """The figures of the run so far, as the page reads them."""
        out = self._live.read()
        out["stopping"] = self._stopping
        if (subject := self._subject) is not None:
            out |= {"name": subject.name, "condition": self.condition}
            out["faults"] = dict(self.faults)
        self._end_was_sent = self._live.over
        return out
