"""How results are drawn, what is written, beside what, and how much is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mot_dinov3.config.fields import flag, flag_fields, require


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
VIDEO = "video"
"""Name of the sink that `--output` asks for."""
SAVE = "save_"
"""How the field of a sink begins that has a flag of its own."""
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
    save: str = flag(
        "",
        "--save",
        "write any output by its name; several are separated by commas",
        metavar="NAME=FILE",
    )

    def __post_init__(self) -> None:
        names = [name for name, _ in self._more]
        require(all(name and place for name, place in self._more), "--save", "NAME=FILE", self.save)
        twice = len({*names}) < len(names) or any(getattr(self, SAVE + n, "") for n in names)
        require(not twice, "--save", "outputs that are not named twice", self.save)
        require(self.crops_of in CROPS, "--crops-of", f"one of {', '.join(CROPS)}", self.crops_of)
        npz = not self.save_embeddings or self.save_embeddings.lower().endswith(".npz")
        require(npz, "--save-embeddings", "a name that ends in .npz", self.save_embeddings)
        require(self.crops_per_id >= 0, "--crops-per-id", "0 or more", self.crops_per_id)
        page = self.report in ("", BESIDE) or self.report.lower().endswith((".html", ".htm"))
        require(page, "--report", "a name that ends in .html", self.report)

    @property
    def sinks(self) -> dict[str, str]:
        """Name of a sink -> the file or directory that it writes, of those that are asked for.

        The video is asked for by `--output`, a sink NAME by `--save-NAME` where there is such a
        flag, and any of them by `--save NAME=FILE`.
        """
        found = {} if self.no_video else {VIDEO: self.output}
        for item in flag_fields(type(self)):
            if item.name.startswith(SAVE):
                found[item.name.removeprefix(SAVE)] = getattr(self, item.name)
        found |= dict(self._more)
        return {name: place for name, place in found.items() if place}

    @property
    def _more(self) -> list[tuple[str, str]]:
        """Name and place of every sink that `--save` asks for."""
        pairs = (pair.partition("=") for pair in self.save.split(",") if pair)
        return [(name.strip(), place) for name, _, place in pairs]

    @property
    def places(self) -> dict[str, str]:
        """Flag -> file or directory of everything that a run will write."""
        found = {flag_of_sink(name): place for name, place in self.sinks.items()}
        more = {"--report": self.report_file, "--stats-json": self.stats_json}
        return found | {name: place for name, place in more.items() if place}

    def moved(self, move: Callable[[str], str]) -> OutputConfig:
        """The same outputs at other places.

        Args:
            move: the place of an output -> its new place.
        """
        # A job may keep something beside its video even where it writes none.
        names = ["output", "stats_json"]
        names += [item.name for item in flag_fields(type(self)) if item.name.startswith(SAVE)]
        values = {name: getattr(self, name) for name in names} | {"report": self.report_file}
        moved: dict[str, Any] = {name: move(value) for name, value in values.items() if value}
        moved["save"] = ",".join(f"{name}={move(place)}" for name, place in self._more)
        return replace(self, **moved)

    @property
    def report_file(self) -> str:
        """Where the report goes, empty for none."""
        if self.report != BESIDE:
            return self.report
        video = Path(self.output)
        return str(video.parent / f"{video.stem or 'report'}.html")


def flag_of_sink(name: str) -> str:
    """The flag that asks for a sink: `--save-mot`, or `--save NAME` for one without its own."""
    if name == VIDEO:
        return "--output"
    own = any(item.name == SAVE + name for item in flag_fields(OutputConfig))
    return f"--save-{name}" if own else f"--save {name}"


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
