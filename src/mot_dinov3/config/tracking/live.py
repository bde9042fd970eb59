"""Live sources, and watching a run while it goes on."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mot_dinov3.config.fields import flag, require
from mot_dinov3.errors import UsageError

LOOPBACK = "127.0.0.1"
ANY_PORT = f"{LOOPBACK}:0"
LOOPBACK_NAMES = ("localhost", "::1")
ADDRESS = re.compile(r"(\d+)|(?:\[([\da-fA-F:.]+)\]|([\w.][\w.-]*)?)(?::(\d+))?")
"""A port alone, or an IPv6 address, a name or nothing, and then a port or none."""


@dataclass(frozen=True, slots=True)
class LiveConfig:
    """Live sources, and watching a run while it goes on."""

    serve: str = flag(
        "",
        "--serve",
        "show the run on a web page; without HOST:PORT on a free port of this machine",
        metavar="HOST:PORT",
        bare=ANY_PORT,
    )
    show: bool = flag(False, "--show", "show the run in a window; q or Escape ends it")
    reconnect: int = flag(
        0,
        "--reconnect",
        "tries to reach a live source again that has dropped out; -1 for no limit",
        metavar="COUNT",
    )
    read_timeout: float = flag(
        15.0,
        "--read-timeout",
        "silence after which a live source has dropped out",
        metavar="SECONDS",
    )
    no_drop: bool = flag(
        False, "--no-drop", "track every frame of a live source, however late; skip none"
    )

    def __post_init__(self) -> None:
        require(-1 <= self.reconnect <= 1_000_000, "--reconnect", "-1 or more", self.reconnect)
        require(
            0.1 <= self.read_timeout <= 3600,
            "--read-timeout",
            "between 0.1 and 3600",
            self.read_timeout,
        )
        if self.serve:
            parse_address(self.serve)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the page; port 0 takes a free one."""
        return parse_address(self.serve)


def parse_address(text: str) -> tuple[str, int]:
    """What `--serve` means: `PORT`, `HOST`, `HOST:PORT` or `[V6]:PORT`; loopback unless given.

    Raises:
        UsageError: it is none of these.
    """
    match = ADDRESS.fullmatch(text.strip())
    port = int(match[1] or match[4] or 0) if match else -1
    if match is None or not 0 <= port <= 65535:
        raise UsageError(
            f"--serve must be a port or HOST:PORT, got '{text}'.",
            fix="Write --serve 8080, or --serve alone for a free port of this machine.",
        )
    return match[2] or match[3] or LOOPBACK, port


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    return host in LOOPBACK_NAMES or re.fullmatch(r"127(\.\d{1,3}){3}", host) is not None
