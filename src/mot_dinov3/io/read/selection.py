"""Which source frames a run tracks, and the readers that only select among frames at hand."""

from __future__ import annotations

from collections import Counter
from typing import Self

from mot_dinov3.config import SourceConfig
from mot_dinov3.errors import InputError
from mot_dinov3.wording import counted


class FrameSelection:
    """`--start-frame --end-frame --max-frames --vid-stride`, asked in the order of the source."""

    def __init__(self, config: SourceConfig) -> None:
        self.config = config
        self.taken = 0

    def has_place(self, index: int) -> bool:
        """Whether source frame `index` is among those that may be tracked; counts nothing."""
        after_start = index - self.config.start_frame
        in_step = after_start >= 0 and after_start % self.config.vid_stride == 0
        return in_step and not self.is_past(index)

    def wants(self, index: int) -> bool:
        """Whether source frame `index` is tracked; the caller then yields it."""
        wanted = self.has_place(index)
        self.taken += wanted
        return wanted

    def is_past(self, index: int) -> bool:
        """Whether neither frame `index` nor any later one is wanted."""
        config = self.config
        after_end = 0 <= config.end_frame < index
        return after_end or (config.max_frames > 0 and self.taken >= config.max_frames)

    def require_start(self, name: str, frames_seen: int) -> None:
        """Refuse a source `name` that ended after `frames_seen` frames, before the first wanted.

        Raises:
            InputError: nothing was tracked.
        """
        if self.config.start_frame >= frames_seen:
            raise InputError(
                f"'{name}' ends after {counted(frames_seen, 'frame')}, before --start-frame "
                f"{self.config.start_frame}.",
                fix="Give a smaller --start-frame.",
            )


class BaseReader:
    """What readers share that hold nothing open between two frames: image files, drawn frames.

    Attributes:
        selection: which frames are wanted.
        counted: kind of fault -> how often, zeros included.
    """

    def __init__(self, config: SourceConfig) -> None:
        self.selection = FrameSelection(config)
        self.counted: Counter[str] = Counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        """Nothing stays open."""

    @property
    def faults(self) -> Counter[str]:
        """What was wrong with the input so far, kind -> how often; only what was met."""
        return +self.counted


def count_selected(config: SourceConfig, frame_count: int) -> int:
    """Count how many of `frame_count` source frames a run will track; 0 when unknown."""
    last = frame_count - 1
    if config.end_frame >= 0 and (frame_count == 0 or config.end_frame < last):
        last = config.end_frame
    span = last - config.start_frame + 1
    selected = -(-span // config.vid_stride) if span > 0 else 0
    if config.max_frames and (frame_count == 0 and config.end_frame < 0):
        return config.max_frames
    return min(selected, config.max_frames) if config.max_frames else selected
