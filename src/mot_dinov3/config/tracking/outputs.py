"""What is written, beside what, and how much is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mot_dinov3.config.fields import flag, flag_fields, require

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

    output: str = flag(
        "outputs/tracked.mp4", "--output", "write the video with the tracks", metavar="FILE"
    )
    no_video: bool = flag(False, "--no-video", "write no video")
    save_mot: str = flag("", "--save-mot", "write tracks as MOTChallenge text", metavar="FILE")
    save_jsonl: str = flag(
        "", "--save-jsonl", "write a frame log: one JSON line per frame", metavar="FILE"
    )
    save_trace: str = flag(
        "", "--save-trace", "write one JSON line per embedding decision", metavar="FILE"
    )
    save_csv: str = flag(
        "", "--save-csv", "write a table with one row per track and frame", metavar="FILE"
    )
    save_events: str = flag(
        "",
        "--save-events",
        "write a line for every crossing of --line and every visit to --zone, as it happens "
        "(.csv or .jsonl)",
        metavar="FILE",
    )
    save_coco: str = flag("", "--save-coco", "write tracks as COCO-VID JSON", metavar="FILE")
    save_cvat: str = flag(
        "", "--save-cvat", "write tracks as XML for CVAT (for video 1.1)", metavar="FILE"
    )
    save_crops: str = flag(
        "", "--save-crops", "write pictures of each identity into a new directory", metavar="DIR"
    )
    crops_of: str = flag(
        "embedded", "--crops-of", "boxes that --save-crops cuts out", choices=CROPS
    )
    crops_per_id: int = flag(
        50,
        "--crops-per-id",
        "most pictures of an identity that --save-crops writes; 0 for no limit",
        metavar="COUNT",
    )
    save_embeddings: str = flag(
        "", "--save-embeddings", "write all computed embeddings (.npz)", metavar="FILE"
    )
    stats_json: str = flag("", "--stats-json", "write the summary as JSON", metavar="FILE")
    report: str = flag(
        "",
        "--report",
        "write a report of the run as an HTML page; without FILE beside the video",
        metavar="FILE",
        bare=BESIDE,
    )
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

    def relocate(self, move: Callable[[str], str]) -> OutputConfig:
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
    """What runs at the same time."""

    overlap: bool = flag(
        True, "--overlap", "read, draw and write in threads while the tracker works"
    )


@dataclass(frozen=True, slots=True)
class TalkConfig:
    """What is printed during a run."""

    quiet: bool = flag(False, "--quiet", "print errors only, no progress and no summary")
    verbose: bool = flag(
        False, "--verbose", "print more: versions, device, model and every fault of the source"
    )
    debug: bool = flag(False, "--debug", "print the full traceback of an error")
