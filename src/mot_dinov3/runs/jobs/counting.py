"""Counting at lines and zones in a job: behind its system, or behind a frame log played again."""

from __future__ import annotations

from dataclasses import replace

from mot_dinov3.config import CountConfig
from mot_dinov3.io.info import SourceInfo
from mot_dinov3.outputs.counting.base import require_supervision
from mot_dinov3.outputs.counting.counter import FrameCounter
from mot_dinov3.runs.loop.base import VideoTracker
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.values import Frame, FrameResult


class CountingTracker:
    """Tracks as another one does, and adds to every result what is counted until then.

    Attributes:
        counter: what was counted so far.
    """

    def __init__(self, tracker: VideoTracker, config: CountConfig) -> None:
        """Count the tracks of `tracker` at the lines and zones of `config`."""
        self._tracker = tracker
        self.counter = FrameCounter(config)

    def warm_up(self, frame: Frame) -> None:
        """Warm the other one up, and load what counts.

        Raises:
            UsageError: a line or a zone is outside of the picture.
        """
        self._tracker.warm_up(frame)
        self.counter.begin((frame.width, frame.height))

    def pace(self, other_ms: float) -> None:
        """Record what the last frame took beside embedding, in milliseconds."""
        self._tracker.pace(other_ms)

    def step(self, frame: Frame) -> FrameResult:
        """Track and count one frame; frames come in order of time."""
        result, timer = self._tracker.step(frame), StageTimer()
        with timer("count"):
            result = self.counter.count(result, (frame.width, frame.height))
        return replace(result, stage_ms={**result.stage_ms, **timer.stage_ms})


def add_counting(tracker: VideoTracker, config: CountConfig) -> CountingTracker | None:
    """A tracker that counts too; None where nothing is counted."""
    return CountingTracker(tracker, config) if config.wanted else None


def check_counting(config: CountConfig, info: SourceInfo) -> None:
    """Refuse lines and zones that cannot be counted at, before any model is loaded.

    Args:
        config: the lines and zones.
        info: the source; of a live one that does not tell its size, the first frame decides.

    Raises:
        ModelError: the package that counts is not installed.
        UsageError: a line or a zone is outside of the picture.
    """
    require_supervision(config)
    if info.width and info.height:
        config.check_size(info.width, info.height)
