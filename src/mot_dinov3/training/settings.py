"""Where and how a recipe runs; a file without torch, for the command line."""

from __future__ import annotations

from dataclasses import dataclass

from mot_dinov3.config.fields import flag, require

JSONL, TRACKIO = "jsonl", "trackio"


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """Where and how a recipe runs, which decides nothing of what it learns."""

    out: str = flag("", "--out", "folder of the run, empty for outputs/train-RECIPE", metavar="DIR")
    resume: bool = flag(
        False,
        "--resume",
        "go on with the run in --out, or in DIR, or begin one there",
        metavar="DIR",
        bare=True,
    )
    device: str = flag("auto", "--device", "where to compute", metavar="NAME")
    processes: int = flag(
        1, "--processes", "processes that learn together, one a GPU", metavar="COUNT"
    )

    report: str = flag(
        JSONL,
        "--report",
        "where a run is logged: log.jsonl alone, or in trackio on this machine, too",
        choices=(JSONL, TRACKIO),
    )

    def __post_init__(self) -> None:
        require(self.processes >= 1, "--processes", "at least 1", self.processes)
