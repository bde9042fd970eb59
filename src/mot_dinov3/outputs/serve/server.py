"""The page's server: few clients at a time, a secret path, nothing written down."""

from __future__ import annotations

import hmac
import logging
import re
import secrets
import socket
import socketserver
import threading
from collections.abc import Callable
from http.server import ThreadingHTTPServer
from typing import Any, Self

from mot_dinov3.config.tracking.live import is_loopback
from mot_dinov3.errors import UsageError
from mot_dinov3.runtime.threads import WaitableThread

log = logging.getLogger("mot_dinov3")

MOST_CLIENTS = 24
"""Connections at a time; whoever comes beyond is turned away at once."""
TOKEN_BYTES = 18
WILDCARDS = ("0.0.0.0", "::")
POLL_S = 0.1

_LITERAL = re.compile(r"\d{1,3}(\.\d{1,3}){3}|\[[\da-fA-F:.]+\]")


class PageServer(ThreadingHTTPServer):
    """Listens from its birth on, answers between `start` and `close`.

    Attributes:
        token: the secret part of the address.
        port: where it listens.
    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, host: str, port: int, handler: Callable[..., Any]) -> None:
        """Take the port.

        Args:
            host: the interface; other than loopback it is warned of.
            port: 0 for any that is free.
            handler: called with (request, client address, server) for every connection.

        Raises:
            UsageError: the address is not to be had.
        """
        self.token = secrets.token_urlsafe(TOKEN_BYTES)
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._host = host
        self._room = threading.BoundedSemaphore(MOST_CLIENTS)
        self._thread = WaitableThread(lambda: self.serve_forever(POLL_S), "page-server")
        try:
            super().__init__((host, port), handler)
        except (OSError, OverflowError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or "no such address"
            raise UsageError(
                f"--serve cannot listen on {_joined(host, port)}: {reason}.",
                fix="Give another port, or --serve alone for a free one of this machine.",
            ) from error
        self.port = int(self.server_address[1])
        if not is_loopback(host):
            log.warning(
                "The page on %s is open to the network, unencrypted: whoever learns its address "
                "sees the pictures and can end the run.", _joined(host, self.port),
            )  # fmt: skip

    def server_bind(self) -> None:
        """Bind without asking a name server who we are."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self._host, int(self.server_address[1])

    @property
    def url(self) -> str:
        """The whole address, the secret included: for the eyes of who started the run."""
        host = socket.gethostname() if self._host in WILDCARDS else self._host
        return f"http://{_joined(host, self.port)}/{self.token}/"

    def knows(self, token: str) -> bool:
        """Whether somebody has the secret; takes as long for a near miss as for a far one."""
        return hmac.compare_digest(token.encode("utf-8", "replace"), self.token.encode())

    def is_ours(self, host: str) -> bool:
        """Whether a `Host` header (or the end of an `Origin`) names this server.

        A name that somebody else made point here is refused: that is how a web site on the
        outside would get at a server on the inside (DNS rebinding).
        """
        name, port = host.lower(), "80"
        if match := re.fullmatch(r"(.*):(\d+)", name):
            name, port = match[1], match[2]
        if port != str(self.port):
            return False
        names = {"localhost", "127.0.0.1", "[::1]", _joined(self._host, None).lower()}
        if is_loopback(self._host):
            return name in names
        return (
            name in names or name == socket.gethostname().lower() or bool(_LITERAL.fullmatch(name))
        )

    def start(self) -> Self:
        """Answer from now on."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Answer nobody any more; who is being answered is left to the thread that does it."""
        if self._thread.is_alive():
            self.shutdown()
            self._thread.wait()
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as in socketserver
        """Answer in a thread of its own, or hang up where there are too many."""
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Answer, and make room."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Clients come and go; that is no news, and their addresses hold the secret."""
        log.debug("a client of the page was lost", exc_info=True)


def _joined(host: str, port: int | None) -> str:
    name = f"[{host}]" if ":" in host else host
    return name if port is None else f"{name}:{port}"
