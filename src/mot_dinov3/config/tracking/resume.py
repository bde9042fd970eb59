"""What a run remembers of itself, and whether it goes on with one that was cut off."""

from __future__ import annotations

from dataclasses import dataclass

from mot_dinov3.config.fields import flag
from mot_dinov3.errors import UsageError


@dataclass(frozen=True, slots=True)
class ResumeConfig:
    """Going on with a run that was cut off.

    Attributes:
        one_of_many: keep the mark of a run's end also without `--resume`, for a batch to remove.
    """

    resume: bool = flag(
        False, "--resume", "go on with the same command that was killed or stopped, or begin it"
    )
    journal: bool = flag(
        True, "--journal", "keep a hidden run journal beside the output, which --resume reads"
    )

    one_of_many: bool = False

    def __post_init__(self) -> None:
        if self.resume and not self.journal:
            raise UsageError(
                "--resume reads a run journal, and --no-journal keeps none.",
                fix="Keep one of them.",
            )
