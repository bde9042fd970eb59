"""Watching a job while it goes on: `--serve` and `--show`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Self

from mot_dinov3.config import TrackConfig
from mot_dinov3.io.read.live import LiveReader
from mot_dinov3.io.read.sources import FrameReader, count_selected
from mot_dinov3.runs.loop import FrameSink, OnFrame, StopRequest
from mot_dinov3.runtime.statistics import RunStatistics
from mot_dinov3.values import FrameResult

if TYPE_CHECKING:
    from mot_dinov3.outputs.serve.page import LivePage
    from mot_dinov3.outputs.sinks.window import Window


class Views:
    """What shows a job to people, none by default.

    Its context holds the page's port; the sinks are entered by the loop.

    Raises:
        UsageError: at birth, when the page's address is taken or there is no display; so it
            comes before anything is opened or loaded.
    """

    def __init__(self, config: TrackConfig, stop: StopRequest) -> None:
        self._source = config.source
        self._page: LivePage | None = None
        self._window: Window | None = None
        live = config.live
        if live.serve:
            from mot_dinov3.outputs.serve.page import LivePage

            self._page = LivePage(live.address, config.draw, stop.ask)
        if live.show:
            from mot_dinov3.outputs.sinks.window import Window

            self._window = Window(config.draw, stop.ask)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        for view in (self._page, self._window):
            if view is not None:
                view.close()

    @property
    def url(self) -> str:
        """Where the page is, "" without one; it holds the secret."""
        return self._page.url if self._page is not None else ""

    def sinks(self, reader: FrameReader, names: Mapping[int, str]) -> list[FrameSink]:
        """What the loop hands frames to, for this source and these classes (id -> name)."""
        out: list[FrameSink] = []
        if self._page is not None:
            from mot_dinov3.outputs.serve.page import PageSubject

            def condition() -> str:
                return reader.condition if isinstance(reader, LiveReader) else ""

            total = count_selected(self._source, reader.info.frame_count)
            self._page.introduce(
                PageSubject(reader.info.name, total, names, condition, lambda: reader.faults)
            )
            out.append(self._page)
        if self._window is not None:
            self._window.names = names
            out.append(self._window)
        return out

    def told(self, tell: OnFrame | None) -> OnFrame | None:
        """Who is told of every frame: `tell`, and what shows it."""
        page = self._page
        if page is None or tell is None:
            return page.tell if page is not None else tell

        def both(result: FrameResult, statistics: RunStatistics) -> None:
            tell(result, statistics)
            page.tell(result, statistics)

        return both
