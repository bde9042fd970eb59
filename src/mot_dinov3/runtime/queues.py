"""A bounded queue from one thread to one other; either side may end it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class BoundedQueue(Generic[T]):
    """Hands items from one producing thread to one consuming thread, in order.

    Attributes:
        newest: whether a full queue drops its oldest item; otherwise the producer waits.
        dropped: how many items were dropped.
        ended: the producer puts nothing more; items that wait can still be taken.
        error: why the producer ended, None for an end in order.
        left: the consumer takes nothing more.
    """

    def __init__(self, capacity: int, *, newest: bool = False) -> None:
        self.newest = newest
        self.dropped = 0
        self.ended = self.left = False
        self.error: BaseException | None = None
        self._capacity = capacity
        self._items: deque[T] = deque()
        self._changed = threading.Condition()

    def wait_for_room(self) -> bool:
        """Wait until an item can be queued at once; False after the consumer left."""
        with self._changed:
            self._changed.wait_for(lambda: self.left or len(self._items) < self._capacity)
            return not self.left

    def put(self, item: T) -> bool:
        """Queue an item, as soon as there is room or in place of the oldest; False if left."""
        with self._changed:
            if self.newest and len(self._items) >= self._capacity:
                self._items.popleft()
                self.dropped += 1
            if self.wait_for_room():
                self._items.append(item)
                self._changed.notify_all()
            return not self.left

    def end(self, error: BaseException | None = None) -> None:
        """End the items; iterating raises `error` once the queued items were taken."""
        with self._changed:
            self.ended, self.error = True, self.error or error
            self._changed.notify_all()

    def take(self, timeout_s: float | None = None) -> T | None:
        """The oldest item; None at the end, or when nothing came within `timeout_s` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self.ended or self.left, timeout_s)
            if not self._items:
                return None
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def leave(self) -> None:
        """Take nothing more: queued items are dropped, and a waiting producer goes on."""
        with self._changed:
            self.left = True
            self._items.clear()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[T]:
        """The items in order, until the producer ends or the consumer leaves."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._items or self.ended or self.left)
                if not self._items:
                    break
                item = self._items.popleft()
                self._changed.notify_all()
            yield item
        if self.error is not None and not self.left:
            raise self.error
