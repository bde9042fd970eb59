"""`--serve` with several cameras: a page of tiles, and behind each tile the page of its camera."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Self

from mot_dinov3.config import DrawConfig
from mot_dinov3.outputs.serve.handler import AGAIN_S, FILES, PageHandler
from mot_dinov3.outputs.serve.page import linger
from mot_dinov3.outputs.serve.server import PageServer
from mot_dinov3.outputs.serve.view import LiveView

TILE_FILES = {
    **FILES,
    "": ("tiles.html", "text/html; charset=utf-8"),
    "tiles.css": ("tiles.css", "text/css; charset=utf-8"),
    "tiles.js": ("tiles.js", "text/javascript; charset=utf-8"),
}
PICTURE = "picture"


class Tile(LiveView):
    """One camera on the page of tiles.

    Attributes:
        name: of the camera's outputs.
        source: as messages may show it.
        reason: why it has ended, "" before.
    """

    def __init__(
        self, name: str, source: str, draw: DrawConfig, ask_stop: Callable[[], None]
    ) -> None:
        super().__init__(draw, ask_stop)
        self.name, self.source = name, source
        self.reason = ""

    def end(self, reason: str) -> None:
        """Show why the camera is not tracked any more, also where it never was.

        Args:
            reason: one sentence, "" where it came to its end.
        """
        self.reason = reason or "It has ended."
        self.finish()

    def figures(self) -> dict[str, Any]:
        """The figures of the camera's run, with its name and its end."""
        start = {"name": self.source, "condition": "", "faults": {}}
        return {**start, **super().figures(), "label": self.name, "reason": self.reason}


class TilesHandler(PageHandler):
    """Answers for the page of tiles, and below `1/`, `2/`, ... for the page of each camera."""

    files: Mapping[str, tuple[str, str]] = TILE_FILES

    def __init__(self, *request: Any, page: TilesPage) -> None:  # noqa: ANN401 - as in socketserver
        self._tiles = {str(number): tile for number, tile in enumerate(page.tiles, 1)}
        self._tile: Tile | None = None
        super().__init__(
            *request, picture=page.tiles[0].picture, figures=page.figures, ask_stop=page.stop
        )

    def _place(self) -> str | None:
        """The path behind the secret and behind the number of a camera, whose page it is then."""
        place = super()._place()
        if place is None:
            return None
        number, slash, rest = place.partition("/")
        tile = self._tile = self._tiles.get(number) if slash else None
        if tile is None:
            return place
        self._picture, self._figures, self._ask_stop = tile.picture, tile.figures, tile.stop
        self.files = FILES
        return rest

    def _stream(self) -> None:
        """Send the pictures of a camera; those of all together are asked for one by one."""
        if self._tile is None:
            super()._answer_other("stream")
        else:
            super()._stream()

    def _answer_other(self, place: str) -> None:
        """Answer with the newest picture of a camera."""
        if place != PICTURE or self._tile is None:
            super()._answer_other(place)
            return
        with self._picture.watch():
            jpeg = self._picture.take(AGAIN_S)
        if jpeg:
            self._answer(jpeg, "image/jpeg")
        else:
            super()._answer_other(place)


class TilesPage:
    """One web page for several runs at the same time.

    The port is taken when the page is made; requests are answered inside its context. Each run
    has a tile of its own, which is the `LiveView` of its job.

    Attributes:
        tiles: one a camera, in their order.
        url: its address, the secret included.

    Raises:
        UsageError: when it is made: the address is in use or does not exist.
    """

    def __init__(self, address: tuple[str, int], tiles: Sequence[Tile]) -> None:
        """Take the port.

        Args:
            address: host and port, 0 for any free port.
            tiles: one a camera.
        """
        self.tiles = tiles
        self._stopping = False
        self._server = PageServer(*address, partial(TilesHandler, page=self))
        self.url = self._server.url

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *problem: object) -> None:
        linger(lambda: any(tile.awaits_end for tile in self.tiles))
        self._server.close()

    def stop(self) -> None:
        """End the runs of all cameras, as a viewer asks."""
        self._stopping = True
        for tile in self.tiles:
            tile.stop()

    def figures(self) -> dict[str, Any]:
        """The figures of all cameras, in their order."""
        cameras = [tile.figures() for tile in self.tiles]
        return {"stopping": self._stopping, "cameras": cameras}
