"""Who is connected to the page: strangers, and guests who have shown the secret.

Anyone who reaches the port can open connections. Strangers have few places and little time to
send a request; when their places are taken the one that came first has to go. So they cannot
take the places of the guests, nor keep a new guest from coming in.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from time import monotonic

MOST_STRANGERS = 24
"""Connections whose request has not come yet, or has no secret."""
MOST_GUESTS = 24
"""Connections with the secret; more are refused."""
HEAD_S = 5.0
"""Seconds in which the head of a request has to be there as a whole, however it drips in."""


class Visitors:
    """The open connections of a server; every method may be called from any thread."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        """No connection is open yet.

        Args:
            clock: returns seconds.
        """
        self._clock = clock
        self._lock = threading.Lock()
        self._strangers: dict[socket.socket, float] = {}
        self._guests: set[socket.socket] = set()

    def arrive(self, request: socket.socket) -> None:
        """Take a new connection for a stranger's; the oldest one goes where there are too many."""
        with self._lock:
            oldest = list(self._strangers)[: len(self._strangers) - MOST_STRANGERS + 1]
            self._strangers[request] = self._clock()
        for other in oldest:
            hang_up(other)

    def admit(self, request: socket.socket) -> bool:
        """Make a stranger who has shown the secret a guest; False where there is no room."""
        with self._lock:
            if len(self._guests) >= MOST_GUESTS:
                return False
            self._strangers.pop(request, None)
            self._guests.add(request)
            return True

    def leave(self, request: socket.socket) -> None:
        """Forget a connection that is over."""
        with self._lock:
            self._strangers.pop(request, None)
            self._guests.discard(request)

    def send_away_the_slow(self) -> None:
        """Hang up on strangers whose request is not there after `HEAD_S`."""
        with self._lock:
            since_s = self._clock() - HEAD_S
            slow = [request for request, came_s in self._strangers.items() if came_s < since_s]
        for request in slow:
            hang_up(request)


def hang_up(request: socket.socket) -> None:
    """End a connection from another thread; the one that waits for it sees its end."""
    with suppress(OSError):
        request.shutdown(socket.SHUT_RDWR)
