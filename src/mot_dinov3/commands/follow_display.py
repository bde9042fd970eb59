"""What `follow` prints beside a job's progress: how long the object was followed, and lost."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

from mot_dinov3.commands.progress import ProgressBar, Terminal
from mot_dinov3.config import TrackConfig
from mot_dinov3.runtime.statistics import RunStatistics
from mot_dinov3.systems.single import describe_early_end
from mot_dinov3.values import FrameResult
from mot_dinov3.values.run_facts import RunFacts
from mot_dinov3.wording import counted


@dataclass(slots=True)
class Course:
    """How the object was followed so far.

    Attributes:
        followed: frames in which it was found, its first one among them.
        lost: frames in which it was not, after the first.
        losses: how often it was lost.
        searches: frames that were searched.
        searched_ms: milliseconds of all of them.
        first: index of the frame in which it was met, -1 before.
        last: index of the last frame of all, -1 before the first.
        found: whether it was found in the last frame.
    """

    followed: int = 0
    lost: int = 0
    losses: int = 0
    searches: int = 0
    searched_ms: float = 0.0
    first: int = -1
    last: int = -1
    found: bool = False

    def add(self, result: FrameResult) -> None:
        """Count one more frame."""
        self.last = result.frame_index
        if "search" in result.stage_ms:
            self.searches += 1
            self.searched_ms += result.stage_ms["search"]
        if not len(result.tracks):
            return
        if self.first < 0:
            self.first = result.frame_index
        found = bool(np.any(result.tracks.present))
        self.followed += found
        self.lost += not found
        self.losses += self.found and not found
        self.found = found

    def describe(self) -> str:
        """A line for the summary."""
        times = f" ({counted(self.losses, 'time')})" if self.losses else ""
        mean_ms = self.searched_ms / max(self.searches, 1)
        return (
            f"object       met in frame {self.first}, found in {counted(self.followed, 'frame')}, "
            f"lost in {self.lost}{times}; {mean_ms:.2f} ms a search"
        )


class CountingBar(ProgressBar):
    """A progress bar that keeps the course of the object, too."""

    def __init__(self, total: int, course: Course, *, quiet: bool) -> None:
        """Show nothing yet; frames are added to `course`."""
        super().__init__(total, quiet=quiet)
        self._course = course

    def __call__(self, result: FrameResult, statistics: RunStatistics) -> None:
        """Count one more frame."""
        self._course.add(result)
        super().__call__(result, statistics)


class FollowTerminal(Terminal):
    """Shows how a job goes on, and at its end what became of the object."""

    def __init__(self, config: TrackConfig) -> None:
        """Show nothing yet.

        Args:
            config: of the job.
        """
        super().__init__(quiet=config.talk.quiet)
        self._config, self._course, self._cut = config, Course(), False
        self._name = config.source.source

    def watch(self, total: int) -> ProgressBar:
        """Return a bar that shows how the job goes on."""
        return CountingBar(total, self._course, quiet=self.quiet)

    def on_summary(self, facts: RunFacts) -> None:
        """Print the summary, and what became of the object."""
        super().on_summary(facts)
        self._cut = bool(facts.stopped_by_signal or facts.stopped_by_viewer)
        self._name = facts.source.name if facts.source is not None else self._name
        if not self.quiet and self._course.first >= 0:
            print(self._course.describe(), file=sys.stderr)

    def require_met(self) -> None:
        """Refuse a run that came to its end without the object.

        Raises:
            UsageError: the source ended before.
        """
        course = self._course
        if course.first < 0 <= course.last and not self._cut:
            start = self._config.source.start_frame
            raise describe_early_end(self._config.follow, self._name, course.last + 1, start)
