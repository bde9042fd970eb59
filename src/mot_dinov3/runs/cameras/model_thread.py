"""The thread of the models: it takes the newest frame of every camera that has one, in rounds."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, Self, TypeVar

from mot_dinov3.errors import MotError
from mot_dinov3.runtime.threads import WaitableThread
from mot_dinov3.systems.base import System
from mot_dinov3.systems.group import SystemGroup, Turn
from mot_dinov3.values import Frame, FrameResult

T = TypeVar("T")


class Request(Generic[T]):
    """What a camera's thread asks for, and its answer."""

    def __init__(self, work: Callable[[], T] | None = None, turn: Turn | None = None) -> None:
        """Ask for `work` to be done, or for a `turn` in the next round."""
        self.work, self.turn = work, turn
        self._done = threading.Event()
        self._value: T | None = None
        self._error: BaseException | None = None

    def answer(self, value: T) -> None:
        """Hand the answer over."""
        self._value = value
        self._done.set()

    def fail(self, error: BaseException) -> None:
        """Hand an error over, to be raised where the answer is waited for."""
        self._error = error
        self._done.set()

    def wait(self) -> T:
        """The answer.

        Raises:
            BaseException: what went wrong in the thread of the models.
        """
        self._done.wait()
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]


class ModelThread:
    """Runs everything that touches the models, so that no two cameras do so at once.

    A camera's thread brings its newest frame and waits for the result. All frames that wait make
    the next round, so a camera has its turn at most one round later than any other, and while
    one connects, drops out or writes, the others go on.
    """

    def __init__(self) -> None:
        self._waiting: deque[Request[object]] = deque()
        self._changed = threading.Condition()
        self._left = False
        self._group = SystemGroup()
        self._thread = WaitableThread(self._run, "models")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        """Take nothing more; a camera that waits for its turn, or asks for one, fails."""
        with self._changed:
            self._left = True
            self._changed.notify_all()

    def use(self, group: SystemGroup) -> None:
        """Step the systems as `group` does; called in this thread, before the first one joins."""
        self._group = group

    def call(self, work: Callable[[], T]) -> T:
        """Do some work in this thread, between two rounds.

        Raises:
            BaseException: whatever the work raises.
        """
        return self._ask(Request(work))

    def join(self, system: System) -> None:
        """Take in the system of a camera."""
        self.call(lambda: self._group.join(system))

    def leave(self, system: System) -> None:
        """Let the system of a camera go."""
        self.call(lambda: self._group.leave(system))

    def step(self, system: System, frame: Frame) -> FrameResult:
        """Track one frame in the next round.

        Raises:
            MotError: the camera's system cannot go on.
        """
        request: Request[FrameResult] = Request(turn=Turn(system, frame))
        return self._ask(request)

    def _ask(self, request: Request[T]) -> T:
        with self._changed:
            if self._left:
                raise _left_error()
            self._waiting.append(request)  # type: ignore[arg-type]
            self._changed.notify_all()
        return request.wait()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._left)
                requests = list(self._waiting)
                self._waiting.clear()
                if self._left:
                    for request in requests:
                        request.fail(_left_error())
                    return
            self._serve(requests)

    def _serve(self, requests: list[Request[object]]) -> None:
        for request in requests:
            if request.work is not None:
                try:
                    request.answer(request.work())
                except BaseException as error:
                    # Raised again in the thread of the camera.
                    request.fail(error)
        steps = [request for request in requests if request.turn is not None]
        try:
            results = self._group.step([request.turn for request in steps if request.turn])
        except BaseException as error:
            # As above: each camera ends by it, and says so.
            for request in steps:
                request.fail(error)
            return
        for request, result in zip(steps, results, strict=True):
            if isinstance(result, Exception):
                request.fail(result)
            else:
                request.answer(result)


def _left_error() -> MotError:
    return MotError("The cameras were stopped at once.", fix="")
