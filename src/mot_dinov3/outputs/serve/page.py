"""`--serve`: one page for one run, from before its first frame until a moment after its last."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from time import monotonic, sleep
from typing import Self

from mot_dinov3.config import DrawConfig
from mot_dinov3.outputs.serve.handler import PageHandler
from mot_dinov3.outputs.serve.server import PageServer
from mot_dinov3.outputs.serve.view import LiveView

LINGER_S = 1.5
"""Seconds for which a page that is watched stays after the run, so that a browser learns of it."""


class LivePage(LiveView):
    """A web page with the pictures and counters of a run; a sink of the loop.

    The port is taken when the page is made, so that a port in use is known before any work is
    done. Requests are answered inside its context.

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
        super().__init__(draw, ask_stop)
        handler = partial(
            PageHandler, picture=self.picture, figures=self.figures, ask_stop=self.stop
        )
        self._server = PageServer(*address, handler)
        self.url = self._server.url

    def __enter__(self) -> Self:
        super().__enter__()
        self._server.start()
        return self

    def __exit__(self, *problem: object) -> None:
        super().__exit__(*problem)
        linger(lambda: self.awaits_end)
        self.close()

    def close(self) -> None:
        """Give the port back; calling it again does nothing."""
        self._server.close()


def linger(is_awaited: Callable[[], bool]) -> None:
    """Wait until browsers that watch have learned of the end, at most `LINGER_S`."""
    until_s = monotonic() + LINGER_S
    while is_awaited() and monotonic() < until_s:
        sleep(0.05)
