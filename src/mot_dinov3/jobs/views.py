"""Watching a job while it goes on: `--serve` and `--show`."""

from __future__ import annotations

from collections.abc import Mapping
from threading import current_thread, main_thread
from typing import TYPE_CHECKING, Self

from mot_dinov3.config import TrackConfig
from mot_dinov3.io.live import LiveReader
from mot_dinov3.io.sources import FrameReader, count_selected
from mot_dinov3.run import FrameSink, OnFrame, StopRequest
from mot_dinov3.statistics import RunStatistics
from mot_dinov3.structures import FrameResult

if TYPE_CHECKING:
    from mot_dinov3.serve.page import Page
    from mot_dinov3.sinks.window import Window


class Views:
    """What shows a job to people, none by default.

    Its context holds the page's port; the sinks are entered by the loop.

    Raises:
        UsageError: at birth, when the page's address is taken or there is no display; so it
            comes before anything is opened or loaded.
    """

    def __init__(self, config: TrackConfig, stop: StopRequest) -> None:
        self._config, self._stop = config, stop
        self._page: Page | None = None
        self._window: Window | None = None
        live = config.live
        if live.show:
            from mot_dinov3.sinks.window import require_display

            require_display()
        if live.serve:
            from mot_dinov3.serve.page import Page

            self._page = Page(live.address, config.draw, stop.ask)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        if self._page is not None:
            self._page.close()

    @property
    def url(self) -> str:
        """Where the page is, "" without one; it holds the secret."""
        return self._page.url if self._page is not None else ""

    def sinks(self, reader: FrameReader, names: Mapping[int, str]) -> list[FrameSink]:
        """What the loop hands frames to, for this source and these classes (id -> name)."""
        out: list[FrameSink] = []
        if self._page is not None:
            from mot_dinov3.serve.page import Subject

            def condition() -> str:
                return reader.condition if isinstance(reader, LiveReader) else ""

            total = count_selected(self._config.source, reader.info.frame_count)
            self._page.introduce(
                Subject(reader.info.name, total, names, condition, lambda: reader.faults)
            )
            out.append(self._page)
        if self._config.live.show:
            from mot_dinov3.sinks.window import Window

            self._window = Window(self._config.draw, names, self._stop.ask)
            out.append(self._window)
        return out

    def idle(self) -> bool:
        """Keep the window alive while no frame comes; whether the run is to end.

        Whoever waits for a file behind an address asks from another thread, which may not draw.
        """
        if self._window is not None and current_thread() is main_thread():
            self._window.refresh()
        return self._stop.wanted()

    def told(self, tell: OnFrame | None) -> OnFrame | None:
        """Who is told of every frame: `tell`, and what shows it."""
        if self._page is None and not self._config.live.show:
            return tell

        def all_of_them(result: FrameResult, statistics: RunStatistics) -> None:
            if tell is not None:
                tell(result, statistics)
            if self._page is not None:
                self._page.tell(result, statistics)
            self.idle()

        return all_of_them
