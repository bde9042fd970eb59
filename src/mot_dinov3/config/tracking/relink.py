"""When two identities of a finished run are taken for one."""

from __future__ import annotations

from dataclasses import dataclass

from mot_dinov3.config.fields import flag, require


@dataclass(frozen=True, slots=True)
class RelinkConfig:
    """What two fragments of an identity must have in common to be merged after the run."""

    relink: bool = flag(
        False, "--relink", "after the run, merge identities that were split, and say which"
    )
    similarity: float = flag(
        0.6, "--relink-similarity", "k-reciprocal similarity, 0 to 1, that a merger needs"
    )
    gap_s: float = flag(20.0, "--relink-gap", "seconds that nobody was seen in between, at most")
    speed: float = flag(
        4.0, "--relink-speed", "box sizes a second that getting from end to beginning may take"
    )

    def __post_init__(self) -> None:
        require(0 <= self.similarity <= 1, "--relink-similarity", "between 0 and 1",
                self.similarity)  # fmt: skip
        require(0 < self.gap_s < 1e7, "--relink-gap", "above 0", self.gap_s)
        require(0 <= self.speed < 1e7, "--relink-speed", "0 or more", self.speed)
