"""What a job gives back, and who is told how it goes."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

from mot_dinov3.runs.loop import OnFrame
from mot_dinov3.values.run_facts import RunFacts


@dataclass(frozen=True, slots=True)
class JobResult:
    """What came of a job.

    Attributes:
        facts: what the run was and did.
        exit_code: what the process should return.
        written: the outputs that exist now.
    """

    facts: RunFacts
    exit_code: int
    written: list[str]


class Onlooker(Protocol):
    """Whoever is told how a job goes."""

    def watch(self, total: int) -> AbstractContextManager[OnFrame | None]:
        """Told of every frame inside; `total` frames are expected, 0 if that is unknown."""

    def page_at(self, url: str) -> None:
        """Told where `--serve` shows the job; the address is a secret."""

    def summed_up(self, facts: RunFacts) -> None:
        """Told of the figures, also where an error follows; not if no frame was tracked."""


class Nobody:
    """An onlooker that looks away."""

    def watch(self, total: int) -> AbstractContextManager[OnFrame | None]:
        """Nothing to tell."""
        return nullcontext()

    def page_at(self, url: str) -> None:
        """Nobody to watch."""

    def summed_up(self, facts: RunFacts) -> None:
        """Nothing to tell."""
