"""The video of a run for its page: where the file is, and when it shows which frame."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from mot_dinov3.config.tracking.drawing import NO_BLUR
from mot_dinov3.outputs.report.frames import Column
from mot_dinov3.outputs.report.recorder import RunData
from mot_dinov3.outputs.report.thinning import MOST_POINTS
from mot_dinov3.runtime.opening import open_regular

KINDS = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/mp4",
    ".webm": "video/webm",
    ".mkv": "video/webm",
}
"""Suffix -> media type."""


@dataclass(frozen=True, slots=True)
class ReportVideo:
    """A video file that shows a run.

    Attributes:
        path: the file.
        annotated: it is the output of the run, with boxes; otherwise it is the source.
    """

    path: Path
    annotated: bool

    @property
    def kind(self) -> str:
        """Its media type."""
        return KINDS[self.path.suffix.lower()]

    def size(self) -> int:
        """Bytes that the video takes inside a page."""
        return 4 * -(-self.path.stat().st_size // 3)

    def encode(self) -> str:
        """The whole file as base64."""
        return base64.b64encode(self.path.read_bytes()).decode("ascii")

    def address(self, page: Path) -> str:
        """The address of the video in a page: relative, and quoted against hostile names."""
        try:
            relative = os.path.relpath(self.path.resolve(), page.resolve().parent)
        except ValueError:  # another drive
            return self.path.resolve().as_uri()
        return "./" + quote(os.fsencode(Path(relative).as_posix()))


def find_video(
    run: RunData, places: Iterable[Path], *, plain_first: bool = False
) -> ReportVideo | None:
    """Find the video of a run, the annotated one before the source; None if there is none.

    The names come from a file that may be hostile: only an existing ordinary file with the suffix
    of a video is taken. The source of a run that blurs people is not shown.

    Args:
        run: its settings name the files.
        places: directories that relative names may be relative to.
        plain_first: look for the source, without boxes, first.
    """
    settings, places = run.settings, list(places)
    names = [] if hides_people(run) else [(settings.get("source"), False)]
    if not settings.get("no_video"):
        names.insert(len(names) if plain_first else 0, (settings.get("output"), True))
    for name, annotated in names:
        path = find_file(name, places)
        if path is not None:
            return ReportVideo(path, annotated)
    return None


def hides_people(run: RunData) -> bool:
    """Whether a run blurs people, so that its page must not show its source."""
    return bool(run.settings.get("blur", NO_BLUR) != NO_BLUR)


def find_file(name: Any, places: Iterable[Path]) -> Path | None:  # noqa: ANN401 - from a JSON file
    """Find a video file.

    Args:
        name: what a file of settings holds as its path, of any type.
        places: directories that the path, or its last part alone, may be relative to.

    Returns:
        The path, None where there is no such video.
    """
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


def find_namesake(frame_log: Path) -> ReportVideo | None:
    """The video of the same name beside a frame log, as killed runs leave both."""
    for suffix in KINDS:
        path = find_file(frame_log.with_suffix(suffix).name, [frame_log.parent])
        if path is not None:
            return ReportVideo(path, annotated=True)
    return None


def is_video(path: Path) -> bool:
    """Whether a file begins like the kinds of `KINDS` (ISO 14496-12 `ftyp`; EBML)."""
    with open_regular(path) as file:
        head = file.read(12)
    return head[4:8] in (b"ftyp", b"moov", b"wide", b"mdat") or head[:4] == b"\x1aE\xdf\xa3"


def compute_video_times(run: RunData, video: ReportVideo | None) -> Column:
    """(F,) seconds of the video at which each row of the frame table is shown."""
    time_s = run.frames["time_s"]
    if video is not None and not video.annotated:
        return time_s
    rate = run.settings.get("fps", 0)
    if isinstance(rate, int | float) and rate > 0:
        return np.arange(len(time_s)) / rate
    return time_s - time_s[:1] if len(time_s) else time_s


def build_clock(run: RunData, video: ReportVideo | None) -> dict[str, list[float]]:
    """At most 5,000 frames and the seconds of the video at them, for interpolation."""
    frames, seconds = run.frames["frame"], compute_video_times(run, video)
    rows = np.unique(np.linspace(0, max(len(frames) - 1, 0), MOST_POINTS).astype(np.int64))
    rows = rows[: len(frames)]
    return {"frame": frames[rows].tolist(), "video_s": seconds[rows].round(4).tolist()}
