"""When two identities of a finished run are taken for one."""

from __future__ import annotations

from dataclasses import dataclass

from mot_dinov3.config.fields import flag, require


@dataclass(frozen=True, slots=True)
class RelinkConfig:
    """When two identities of a finished run are merged into one."""

    relink: bool = flag(
        False, "--relink", "merge identities that were split, after the run, and print which"
    )
    similarity: float = flag(
        0.6,
        "--relink-similarity",
        "least k-reciprocal similarity of two identities that are merged, 0 to 1",
        metavar="SHARE",
    )
    gap_s: float = flag(
        20.0,
        "--relink-gap",
        "longest time between two identities that are merged",
        metavar="SECONDS",
    )
    speed: float = flag(
        4.0,
        "--relink-speed",
        "greatest speed between two identities that are merged, in box sizes per second",
        metavar="SPEED",
    )

    def __post_init__(self) -> None:
        require(
            0 <= self.similarity <= 1, "--relink-similarity", "between 0 and 1", self.similarity
        )
        require(0 < self.gap_s < 1e7, "--relink-gap", "above 0", self.gap_s)
        require(0 <= self.speed < 1e7, "--relink-speed", "0 or more", self.speed)
