"""What a job returns, and the observer that is called while it runs."""

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


class JobObserver(Protocol):
    """Is called while a job runs, to show its progress; the defaults show nothing."""

    def watch(self, total: int) -> AbstractContextManager[OnFrame | None]:
        """A context for the loop, and the callback for every frame in it, None for no callback.

        Args:
            total: frames that are expected, 0 if unknown.
        """
        return nullcontext()

    def on_page(self, url: str) -> None:
        """Called when `--serve` shows the job; the address holds a secret."""
        return

    def on_summary(self, facts: RunFacts) -> None:
        """Called with the facts, also if an error follows; not if no frame was tracked."""
        return


class SilentObserver(JobObserver):
    """Shows nothing."""
