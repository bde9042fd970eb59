"""Many videos with the same settings: which, side by side or not, and where."""

from __future__ import annotations

from dataclasses import dataclass

from mot_dinov3.config.fields import flag, require

LOCAL_RAY = "local"


@dataclass(frozen=True, slots=True)
class BatchConfig:
    """How many videos are tracked with the same settings.

    Attributes:
        sources: what `--source` named, where it named several; empty for one.
    """

    each: bool = flag(False, "--each", "take every video in a directory that --source names")
    workers: int = flag(0, "--workers", "processes that track videos side by side, 0 for none")
    worker_cores: int = flag(
        0, "--worker-cores", "processors that each of them computes with, 0 for an equal share"
    )
    ray: str = flag("", "--ray", "track on the Ray cluster at ADDRESS, alone on one started here",
                    metavar="ADDRESS", bare=LOCAL_RAY)  # fmt: skip
    batch_json: str = flag("", "--batch-json", "write the table of all videos as JSON to FILE",
                           metavar="FILE")  # fmt: skip
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require(0 <= self.workers <= 1000, "--workers", "between 0 and 1000", self.workers)
        require(0 <= self.worker_cores <= 1000, "--worker-cores", "between 0 and 1000",
                self.worker_cores)  # fmt: skip

    @property
    def wanted(self) -> bool:
        """Whether anything asks for a batch, even of a single video."""
        asked = self.each or self.workers or self.ray or self.batch_json
        return bool(asked) or len(self.sources) > 1
