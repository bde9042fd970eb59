"""How results are drawn, what is written, beside what, and how much is said."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mot_dinov3.config.fields import flag, require


@dataclass(frozen=True, slots=True)
class DrawConfig:
    """How tracks look in the video."""

    draw_lost: bool = flag(False, "--draw-lost", "also draw lost tracks at their predicted place")
    line_thickness: int = flag(2, "--line-thickness", "box line thickness in pixels")
    font_scale: float = flag(0.5, "--font-scale", "label font scale")
    hud: bool = flag(False, "--hud", "print the frame's counters in a corner of the video")

    def __post_init__(self) -> None:
        require(1 <= self.line_thickness <= 64, "--line-thickness", "between 1 and 64",
                self.line_thickness)  # fmt: skip
        require(0 < self.font_scale <= 20, "--font-scale", "between 0 and 20", self.font_scale)


CROPS = ("embedded", "seen")
BESIDE = "auto"
"""The value of `--report` without a file."""


@dataclass(frozen=True, slots=True)
class OutputConfig:
    """What is written, and where."""

    output: str = flag("outputs/tracked.mp4", "--output", "annotated video to write")
    no_video: bool = flag(False, "--no-video", "write no video")
    save_mot: str = flag("", "--save-mot", "write MOTChallenge text to FILE", metavar="FILE")
    save_jsonl: str = flag("", "--save-jsonl", "write one JSON line a frame to FILE",
                           metavar="FILE")  # fmt: skip
    save_trace: str = flag("", "--save-trace", "write one JSON line a decision to FILE",
                           metavar="FILE")  # fmt: skip
    save_csv: str = flag("", "--save-csv", "write a table to FILE, one row a track a frame",
                         metavar="FILE")  # fmt: skip
    save_crops: str = flag("", "--save-crops", "write pictures of identities into a new DIR",
                           metavar="DIR")  # fmt: skip
    crops_of: str = flag("embedded", "--crops-of", "which boxes --save-crops cuts: those that were "
                         "embedded, or all that were seen", choices=CROPS)  # fmt: skip
    crops_per_id: int = flag(50, "--crops-per-id", "most crops of an identity, 0 for no limit")
    save_embeddings: str = flag("", "--save-embeddings", "write every embedding that was computed "
                                "to FILE (.npz)", metavar="FILE")  # fmt: skip
    stats_json: str = flag("", "--stats-json", "write the summary as JSON to FILE",
                           metavar="FILE")  # fmt: skip
    report: str = flag("", "--report", "write a report of the run as one HTML page; without FILE "
                       "beside the video", metavar="FILE", bare=BESIDE)  # fmt: skip
    no_clobber: bool = flag(False, "--no-clobber", "refuse to replace an existing output")

    def __post_init__(self) -> None:
        require(self.crops_of in CROPS, "--crops-of", f"one of {', '.join(CROPS)}", self.crops_of)
        npz = not self.save_embeddings or self.save_embeddings.lower().endswith(".npz")
        require(npz, "--save-embeddings", "a name that ends in .npz", self.save_embeddings)
        require(self.crops_per_id >= 0, "--crops-per-id", "0 or more", self.crops_per_id)
        page = self.report in ("", BESIDE) or self.report.lower().endswith((".html", ".htm"))
        require(page, "--report", "a name that ends in .html", self.report)

    @property
    def report_file(self) -> str:
        """Where the report goes, empty for none."""
        if self.report != BESIDE:
            return self.report
        video = Path(self.output)
        return str(video.parent / f"{video.stem or 'report'}.html")


@dataclass(frozen=True, slots=True)
class LoopConfig:
    """What runs beside what."""

    overlap: bool = flag(True, "--overlap", "read, draw and write in threads beside tracking")


@dataclass(frozen=True, slots=True)
class TalkConfig:
    """How much is said while it runs."""

    quiet: bool = flag(False, "--quiet", "no progress and no summary, errors only")
    verbose: bool = flag(False, "--verbose", "say more: versions, device, model, every fault")
    debug: bool = flag(False, "--debug", "show full tracebacks")
