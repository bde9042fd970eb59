"""Many videos with the same settings: which, how many at once, and where."""

from __future__ import annotations

from dataclasses import dataclass

from mot_dinov3.config.fields import flag, require

LOCAL_RAY = "local"


@dataclass(frozen=True, slots=True)
class BatchConfig:
    """Many videos with the same settings: which, how many at once, and where.

    Attributes:
        sources: what `--source` named, where it named several; empty for one.
    """

    each: bool = flag(False, "--each", "track every video in the directory that --source names")
    workers: int = flag(
        0,
        "--workers",
        "processes that track videos at the same time; 0 for one video after another",
        metavar="COUNT",
    )
    worker_cores: int = flag(
        0,
        "--worker-cores",
        "processor cores that each worker computes with; 0 for an equal share",
        metavar="COUNT",
    )
    ray: str = flag(
        "",
        "--ray",
        "track videos on the Ray cluster at ADDRESS; without ADDRESS on one started here",
        metavar="ADDRESS",
        bare=LOCAL_RAY,
    )
    batch_json: str = flag(
        "", "--batch-json", "write the table of all videos as JSON", metavar="FILE"
    )
    batch_csv: str = flag(
        "",
        "--batch-csv",
        "write the table of all videos, with what was counted in each, as CSV",
        metavar="FILE",
    )

    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require(0 <= self.workers <= 1000, "--workers", "between 0 and 1000", self.workers)
        require(
            0 <= self.worker_cores <= 1000,
            "--worker-cores",
            "between 0 and 1000",
            self.worker_cores,
        )

    @property
    def tables(self) -> dict[str, str]:
        """Flag -> file of the tables of all videos that are asked for."""
        asked = {"--batch-json": self.batch_json, "--batch-csv": self.batch_csv}
        return {flag: place for flag, place in asked.items() if place}

    @property
    def wanted(self) -> bool:
        """Whether anything asks for a batch, even of a single video."""
        asked = self.each or self.workers or self.ray or self.tables
        return bool(asked) or len(self.sources) > 1
