"""What a run remembers of itself, and whether it goes on with one that was cut off."""

from __future__ import annotations

from dataclasses import dataclass

from mot_dinov3.config.fields import flag
from mot_dinov3.errors import UsageError


@dataclass(frozen=True, slots=True)
class ResumeConfig:
    """The journal of a run, and going on from it.

    Attributes:
        one_of_many: a mark of its end stays also without `--resume`, for a batch to remove.
    """

    resume: bool = flag(
        False, "--resume", "go on where the same command was killed or stopped, or begin"
    )
    journal: bool = flag(
        True, "--journal", "keep a hidden journal beside the output, so that --resume can go on"
    )

    one_of_many: bool = False

    def __post_init__(self) -> None:
        if self.resume and not self.journal:
            raise UsageError(
                "--resume goes on from a journal, and --no-journal keeps none.",
                fix="Keep one of them.",
            )
