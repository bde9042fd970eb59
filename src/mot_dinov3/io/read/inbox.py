"""Where pictures wait between the thread that receives them and the one that tracks them."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Inbox(Generic[T]):
    """A bounded queue from one thread to one other, which may look in for a while only.

    Attributes:
        newest: whether a full queue gives up its oldest item; else whoever brings one waits.
        dropped: how many items were given up.
        left: nobody takes items any more.
        ended: nobody brings items any more; those that wait can still be taken.
        error: why nobody does, None for an end in order.
    """

    def __init__(self, room: int, *, newest: bool) -> None:
        self.newest = newest
        self.dropped = 0
        self.left = self.ended = False
        self.error: Exception | None = None
        self._room = room
        self._items: deque[T] = deque()
        self._changed = threading.Condition()

    def put(self, item: T) -> bool:
        """Bring an item; False when nobody will take it."""
        with self._changed:
            if self.newest and len(self._items) >= self._room:
                self._items.popleft()
                self.dropped += 1
            self._changed.wait_for(lambda: self.left or len(self._items) < self._room)
            if not self.left:
                self._items.append(item)
                self._changed.notify_all()
            return not self.left

    def end(self, error: Exception | None = None) -> None:
        """Bring nothing any more."""
        with self._changed:
            self.ended, self.error = True, error
            self._changed.notify_all()

    def take(self, timeout_s: float) -> T | None:
        """The oldest item that waits; None when there is none after `timeout_s` or at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self.ended, timeout_s)
            if not self._items:
                return None
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def leave(self) -> None:
        """Take nothing any more: what waits is let go, and whoever waits goes on."""
        with self._changed:
            self.left = True
            self._items.clear()
            self._changed.notify_all()
