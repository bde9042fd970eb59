"""The page's server: a limited number of clients, a secret path, and no log."""

from __future__ import annotations

import hmac
import logging
import re
import secrets
import socket
import socketserver
from collections.abc import Callable
from http.server import ThreadingHTTPServer
from typing import Any, Self

from mot_dinov3.config.tracking.live import is_loopback
from mot_dinov3.errors import UsageError
from mot_dinov3.outputs.serve.visitors import Visitors
from mot_dinov3.runtime.threads import WaitableThread

log = logging.getLogger("mot_dinov3")

TOKEN_BYTES = 18
WILDCARDS = ("0.0.0.0", "::")
POLL_S = 0.1

_LITERAL = re.compile(r"\d{1,3}(\.\d{1,3}){3}|\[[\da-fA-F:.]+\]")


class PageServer(ThreadingHTTPServer):
    """Takes its port when it is made, and answers between `start` and `close`.

    Attributes:
        token: the secret part of the address.
        port: where it listens.
        visitors: who is connected.
    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, host: str, port: int, handler: Callable[..., Any]) -> None:
        """Take the port.

        Args:
            host: the interface; there is a warning unless it is the loopback.
            port: 0 for any free port.
            handler: called with (request, client address, server) for every connection.

        Raises:
            UsageError: the address is in use or does not exist.
        """
        self.token = secrets.token_urlsafe(TOKEN_BYTES)
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._host = host
        self.visitors = Visitors()
        self._thread = WaitableThread(lambda: self.serve_forever(POLL_S), "page-server")
        try:
            super().__init__((host, port), handler)
        except (OSError, OverflowError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or "no such address"
            raise UsageError(
                f"--serve cannot listen on {_join_address(host, port)}: {reason}.",
                fix="Give another port, or --serve alone for a free one of this machine.",
            ) from error
        self.port = int(self.server_address[1])
        if not is_loopback(host):
            log.warning(
                "The page on %s is open to the network, unencrypted: anyone with its address "
                "sees the pictures and can end the run.",
                _join_address(host, self.port),
            )

    def server_bind(self) -> None:
        """Bind without asking a name server for the name of this machine."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self._host, int(self.server_address[1])

    @property
    def url(self) -> str:
        """The whole address with the secret, to be shown only to the person at this terminal."""
        host = socket.gethostname() if self._host in WILDCARDS else self._host
        return f"http://{_join_address(host, self.port)}/{self.token}/"

    def knows(self, token: str) -> bool:
        """Whether a token is the secret; the time it takes does not depend on the token."""
        return hmac.compare_digest(token.encode("utf-8", "replace"), self.token.encode())

    def is_ours(self, host: str) -> bool:
        """Whether a `Host` header (or the end of an `Origin`) names this server.

        A foreign name that points to this machine is refused: through one a web site on the
        outside could reach a server on the inside (DNS rebinding).
        """
        name, port = host.lower(), "80"
        if match := re.fullmatch(r"(.*):(\d+)", name):
            name, port = match[1], match[2]
        if port != str(self.port):
            return False
        names = {"localhost", "127.0.0.1", "[::1]", _join_address(self._host, None).lower()}
        if is_loopback(self._host):
            return name in names
        return (
            name in names or name == socket.gethostname().lower() or bool(_LITERAL.fullmatch(name))
        )

    def start(self) -> Self:
        """Begin to answer."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop answering; a request that is being answered is finished by its thread."""
        if self._thread.is_alive():
            self.shutdown()
            self._thread.wait()
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as in socketserver
        """Answer in a new thread; see `Visitors` for who has to go when there are too many."""
        self.visitors.arrive(request)
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Answer, then forget the connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.visitors.leave(request)

    def service_actions(self) -> None:
        """Called again and again while the server waits: end requests that drip in."""
        self.visitors.send_away_the_slow()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Say nothing of clients that went away; the addresses that they used hold the secret."""
        log.debug("a client of the page was lost", exc_info=True)


def _join_address(host: str, port: int | None) -> str:
    name = f"[{host}]" if ":" in host else host
    return name if port is None else f"{name}:{port}"
