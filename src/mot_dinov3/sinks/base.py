"""What a sink is to the loop."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from mot_dinov3.structures import Frame, FrameResult


class Sink(Protocol):
    """A context manager that takes every frame and its result, in order.

    It books its time as "draw" and "write" in the `StageTimer` that it was built with. Leaving
    the context finishes the file, also after an exception: what was written stays readable.
    Failures are `OutputError`s.

    Attributes:
        path: where the result is, for the closing lines.
    """

    path: str

    def __enter__(self) -> Self:
        """Open the output."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish the output."""

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Keep one frame's result."""
