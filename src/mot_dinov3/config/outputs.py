"""How results are drawn, what is written, beside what, and how much is said."""

from __future__ import annotations

from dataclasses import dataclass

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
    stats_json: str = flag("", "--stats-json", "write the summary as JSON to FILE",
                           metavar="FILE")  # fmt: skip
    no_clobber: bool = flag(False, "--no-clobber", "refuse to replace an existing output")


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
