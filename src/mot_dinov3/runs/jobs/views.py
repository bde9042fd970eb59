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
    from mot_dinov3.outputs.serve.view import LiveView
    from mot_dinov3.outputs.sinks.window import Window


class Views:
    """The page and the window that show a job, none by default.

    Its context holds the port of the page; the loop enters the sinks.
    """

    def __init__(
        self, config: TrackConfig, stop: StopRequest, view: LiveView | None = None
    ) -> None:
        """Open the port and the display, before anything else is opened or loaded.

        Args:
            config: all stages.
            stop: is asked by a viewer.
            view: a part of a page that shows other jobs, too; without it `--serve` makes a page.

        Raises:
            UsageError: the address of the page is taken, or there is no display.
        """
        self._source = config.source
        self._page: LiveView | None = view
        self._window: Window | None = None
        live = config.live
        if live.serve and view is None:
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
        """Address of the page, which holds a secret; "" without a page."""
        return self._page.url if self._page is not None else ""

    def create_sinks(self, reader: FrameReader, names: Mapping[int, str]) -> list[FrameSink]:
        """The sinks of the page and the window.

        Args:
            reader: of the source.
            names: class id -> class name.
        """
        out: list[FrameSink] = []
        if self._page is not None:
            from mot_dinov3.outputs.serve.view import PageSubject

            def condition() -> str:
                return reader.condition if isinstance(reader, LiveReader) else ""

            info = reader.info
            title = info.path.name if info.path is not None else info.name
            total = count_selected(self._source, info.frame_count)
            self._page.set_subject(
                PageSubject(title, total, names, condition, lambda: reader.faults)
            )
            out.append(self._page)
        if self._window is not None:
            self._window.names = names
            out.append(self._window)
        return out

    def add_callback(self, on_frame: OnFrame | None) -> OnFrame | None:
        """A callback that calls `on_frame` and shows the frame's figures on the page."""
        page = self._page
        if page is None or on_frame is None:
            return page.update if page is not None else on_frame

        def call_both(result: FrameResult, statistics: RunStatistics) -> None:
            on_frame(result, statistics)
            page.update(result, statistics)

        return call_both
