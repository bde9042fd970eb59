"""Threads beside the caller's: one reads ahead of it, one works behind it.

Items keep their order, queues are bounded, and every error is raised in the caller's thread with
its own type, after the items that came before it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from time import perf_counter
from types import TracebackType
from typing import Generic, Self, TypeVar

from mot_dinov3.runtime.queues import BoundedQueue

T = TypeVar("T")
R = TypeVar("R")

AHEAD = 1
"""Items that are read before they are asked for: more would only be older when their turn comes."""

BEHIND = 2
"""Items that may wait to be worked off: enough to even out."""


class WaitableThread(threading.Thread):
    """A thread that ends with the process, and whose end can be waited for again and again.

    `Thread.join` cannot do that: once it was interrupted, CPython 3.11 and 3.12 take the thread
    for ended while it runs (https://github.com/python/cpython/issues/90882).
    """

    def __init__(self, work: Callable[[], None], name: str) -> None:
        super().__init__(target=work, name=name, daemon=True)
        self._over = threading.Event()

    def run(self) -> None:
        """Do the work."""
        try:
            super().run()
        finally:
            self._over.set()

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait until the work is over, at most `timeout_s` seconds."""
        if self._over.wait(timeout_s):
            self.join()


class ReadNow(Generic[T]):
    """Iterates a source in the caller's thread: a `ReadAhead` without the thread."""

    def __init__(self, source: Iterable[T]) -> None:
        self.waited_s = 0.0
        self._source = source

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        """Nothing runs."""

    def __iter__(self) -> Iterator[T]:
        """The items in order."""
        return iter(self._source)


class ReadAhead(Generic[T]):
    """Iterates a source in a thread of its own, at most `capacity` items ahead of its consumer.

    The item that is being read counts: reading waits for room, so that no item grows old in a
    full queue. Leaving the context waits until it is read, so that the source may be closed.

    Attributes:
        waited_s: how long the caller waited for items.
    """

    def __init__(self, source: Iterable[T], capacity: int = AHEAD) -> None:
        self.waited_s = 0.0
        self._source = source
        self._queue: BoundedQueue[T] = BoundedQueue(capacity)
        self._thread = WaitableThread(self._run, "read-ahead")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._queue.leave()
        try:
            self._thread.wait()
        finally:  # an interruption waits too: the source may be closed next
            self._thread.wait()

    def __iter__(self) -> Iterator[T]:
        """The items in order; an error of the source is raised in its place."""
        items = iter(self._queue)
        while True:
            started = perf_counter()
            try:
                item = next(items)
            except StopIteration:
                return
            finally:
                self.waited_s += perf_counter() - started
            yield item

    def _run(self) -> None:
        try:
            for item in self._source:
                if not (self._queue.put(item) and self._queue.wait_for_room()):
                    return
        except BaseException as error:
            # Raised again where the items are taken.
            self._queue.end(error)
        else:
            self._queue.end()


class WorkNow(Generic[T, R]):
    """Does the work of each item at once: a `WorkBehind` without the thread."""

    def __init__(self, work: Callable[[T], R]) -> None:
        self.waited_s = self.busy_s = 0.0
        self._work = work
        self._done: deque[R] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        """Nothing waits."""

    def put(self, item: T) -> None:
        """Do the work of an item; its errors are raised here."""
        self._done.append(self._work(item))

    def take_results(self) -> Iterator[R]:
        """The results since the last call, in the order of the items."""
        while self._done:
            yield self._done.popleft()


class WorkBehind(Generic[T, R]):
    """Works items off in a thread of its own, in order, at most `capacity` of them waiting.

    The first error ends the work: it is raised by the next `put` or when the context is left.
    Leaving the context normally, or with an error of the caller's own, works off what waits;
    an interruption (no `Exception`) drops it.

    Attributes:
        waited_s: how long the caller waited for room.
        busy_s: how long the thread worked.
    """

    def __init__(self, work: Callable[[T], R], capacity: int = BEHIND) -> None:
        self.waited_s = 0.0
        self.busy_s = 0.0
        self._work = work
        self._queue: BoundedQueue[T] = BoundedQueue(capacity)
        self._done: deque[R] = deque()
        self._failure: BaseException | None = None
        self._thread = WaitableThread(self._run, "work-behind")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        started = perf_counter()
        try:
            self._queue.end()
            if kind is None or issubclass(kind, Exception):
                self._thread.wait()
        finally:
            self._queue.leave()
            self._thread.wait()
            self.waited_s += perf_counter() - started
        if self._failure is None or self._failure is error:
            return
        if error is None:
            raise self._failure
        error.add_note(str(self._failure))

    def put(self, item: T) -> None:
        """Hand over an item, waiting for room.

        Raises:
            BaseException: whatever an earlier item raised; this one is dropped.
        """
        started = perf_counter()
        taken = self._queue.put(item)
        self.waited_s += perf_counter() - started
        if not taken and self._failure is not None:
            raise self._failure

    def take_results(self) -> Iterator[R]:
        """The results since the last call, in the order of the items."""
        while self._done:
            yield self._done.popleft()

    def _run(self) -> None:
        try:
            for item in self._queue:
                started = perf_counter()
                try:
                    self._done.append(self._work(item))
                finally:
                    self.busy_s += perf_counter() - started
        except BaseException as error:
            # Raised again by the next `put`, or when the context is left.
            self._failure = error
            self._queue.leave()
