"""What sources share that hold nothing open between two frames."""

from __future__ import annotations

from collections import Counter
from typing import Self

from mot_dinov3.config import SourceConfig
from mot_dinov3.io.read.selection import FrameSelection


class StandingReader:
    """The part of a `FrameReader` that files read one by one and drawn frames have in common.

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
