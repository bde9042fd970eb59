"""The video of a run, for the page that shows it: where it is, and when it shows which frame."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from mot_dinov3.outputs.report.frames import Column
from mot_dinov3.outputs.report.recorder import RunData
from mot_dinov3.outputs.report.thinning import MOST_POINTS

KINDS = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/mp4",
    ".webm": "video/webm",
    ".mkv": "video/webm",
}
"""Suffix -> what browsers are told it is."""


@dataclass(frozen=True, slots=True)
class ReportVideo:
    """A video file that shows a run.

    Attributes:
        path: the file.
        annotated: it is the run's own output, with boxes; else the source.
    """

    path: Path
    annotated: bool

    @property
    def kind(self) -> str:
        """Its media type."""
        return KINDS[self.path.suffix.lower()]

    def size(self) -> int:
        """Bytes that it takes inside a page."""
        return 4 * -(-self.path.stat().st_size // 3)

    def embedded(self) -> str:
        """The whole file as base64."""
        return base64.b64encode(self.path.read_bytes()).decode("ascii")

    def address(self, page: Path) -> str:
        """How a page finds it: relative, and quoted so that no name can be anything else."""
        try:
            relative = os.path.relpath(self.path.resolve(), page.resolve().parent)
        except ValueError:  # another drive
            return self.path.resolve().as_uri()
        return "./" + quote(Path(relative).as_posix())


def find_video(
    run: RunData, places: Iterable[Path], *, plain_first: bool = False
) -> ReportVideo | None:
    """The video of a run, the annotated one before the source; None where there is none.

    Names come from the run's figures, which may be anybody's: only an existing ordinary file with
    the suffix of a video is taken.

    Args:
        run: its settings name the files.
        places: directories from which relative names may be meant.
        plain_first: take the source, without boxes, before the other.
    """
    settings, places = run.settings, list(places)
    names = [(settings.get("source"), False)]
    if not settings.get("no_video"):
        names.insert(1 if plain_first else 0, (settings.get("output"), True))
    for name, annotated in names:
        path = find_file(name, places)
        if path is not None:
            return ReportVideo(path, annotated)
    return None


def find_file(name: Any, places: Iterable[Path]) -> Path | None:  # noqa: ANN401 - from a JSON file
    """The video file that `name` means in one of the `places`, also beside what it was."""
    if not isinstance(name, str) or not name or "\0" in name:
        return None
    wanted = Path(name)
    if wanted.suffix.lower() not in KINDS:
        return None
    for place in places:
        for path in (place / wanted, place / wanted.name):
            try:
                if path.is_file() and is_video(path):
                    return path
            except OSError:
                continue
    return None


def find_namesake(journal: Path) -> ReportVideo | None:
    """The video beside a journal that is called like it, as killed runs leave both."""
    for suffix in KINDS:
        path = find_file(journal.with_suffix(suffix).name, [journal.parent])
        if path is not None:
            return ReportVideo(path, annotated=True)
    return None


def is_video(path: Path) -> bool:
    """Whether a file begins as those of `KINDS` do (ISO 14496-12 `ftyp`; EBML)."""
    with path.open("rb") as file:
        head = file.read(12)
    return head[4:8] in (b"ftyp", b"moov", b"wide", b"mdat") or head[:4] == b"\x1aE\xdf\xa3"


def compute_video_times(run: RunData, film: ReportVideo | None) -> Column:
    """(F,) seconds of the film at which every row of the frame table is shown."""
    time_s = run.frames["time_s"]
    if film is not None and not film.annotated:
        return time_s
    rate = run.settings.get("fps", 0)
    if isinstance(rate, int | float) and rate > 0:
        return np.arange(len(time_s)) / rate
    return time_s - time_s[:1] if len(time_s) else time_s


def build_clock(run: RunData, film: ReportVideo | None) -> dict[str, list[float]]:
    """Frames and the film's seconds at them, at most 5,000; what lies between is even."""
    frames, seconds = run.frames["frame"], compute_video_times(run, film)
    rows = np.unique(np.linspace(0, max(len(frames) - 1, 0), MOST_POINTS).astype(np.int64))
    rows = rows[: len(frames)]
    return {"frame": frames[rows].tolist(), "video_s": seconds[rows].round(4).tolist()}
