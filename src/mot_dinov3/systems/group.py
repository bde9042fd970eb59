"""Systems of several cameras that share their models, stepped together in one thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mot_dinov3.systems.base import System
from mot_dinov3.values import Frame, FrameResult


@dataclass(frozen=True, slots=True)
class Turn:
    """A frame that waits for its system.

    Attributes:
        system: of the camera.
        frame: the newest one of that camera.
    """

    system: System
    frame: Frame


class SystemGroup:
    """Steps the systems of several cameras, one after the other.

    A loaded system that gains from looking at several frames at once, or whose systems share
    something, has a group of its own.
    """

    def join(self, system: System) -> None:
        """Take in the system of one more camera, which has seen nothing yet."""

    def leave(self, system: System) -> None:
        """Let a system go whose camera has ended."""

    def step(self, turns: Sequence[Turn]) -> list[FrameResult | Exception]:
        """Track one frame of each camera in `turns`; a failure belongs to its camera alone.

        Args:
            turns: at most one for each system.

        Returns:
            What came of each turn, in their order.
        """
        return [step_alone(turn) for turn in turns]


def step_alone(turn: Turn) -> FrameResult | Exception:
    """Track one frame; returns the error of a system that fails."""
    try:
        return turn.system.step(turn.frame)
    except Exception as error:
        return error
