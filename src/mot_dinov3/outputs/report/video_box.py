"""The place for the video in a page, which holds the video or links to it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mot_dinov3.outputs.report.page import read_plotly_script
from mot_dinov3.outputs.report.recorder import RunData
from mot_dinov3.outputs.report.video import ReportVideo, build_clock, hides_people

MOST_BYTES = 14_500_000
"""Bytes of a page; a video that would not fit is linked instead."""
OWN_BYTES = 600_000
"""Bytes of a page beside plotly, its data and its pictures."""


@dataclass(frozen=True, slots=True)
class VideoBox:
    """A place for a video.

    Attributes:
        key: its name in the page.
        kind: media type.
        caption: says what is shown, or why nothing is.
        address: of a linked video, "" for none.
        embedded: the whole video as base64, "" for none.
        colour: of the run.
        title: of the run, "" where there is but one.
    """

    key: str
    kind: str
    caption: str
    address: str = ""
    embedded: str = ""
    colour: str = ""
    title: str = ""

    def as_dict(self, run: RunData, video: ReportVideo | None) -> dict[str, Any]:
        """What the page's script needs."""
        return {"key": self.key, "kind": self.kind, "clock": build_clock(run, video)}


def build_video_box(
    run: RunData,
    video: ReportVideo | None,
    page: Path,
    key: str,
    data: Mapping[str, Any],
    taken: int,
) -> VideoBox:
    """Build the place for the video of a run.

    Args:
        run: the run.
        video: its video, None where there is none.
        page: the HTML file.
        key: name of the place in the page.
        data: what the page holds for its script.
        taken: bytes of pictures and other videos.
    """
    if video is None:
        words = "This run wrote no video that can be found here"
        if run.settings.get("no_video"):
            words = "This run was told to write no video (--no-video), and its source is not here"
        if hides_people(run):
            words = "The source is not shown, as this run hides people (--blur)"
        return VideoBox(key, "", f"{words}. Charts still name the frame that is clicked.")
    what = "with boxes" if video.annotated else "the source itself, without boxes"
    megabytes = video.path.stat().st_size / 1e6
    room = MOST_BYTES - OWN_BYTES - len(read_plotly_script()) - taken - len(json.dumps(data))
    if video.size() <= room:
        caption = f"{video.path.name}, {what}; inside this page ({megabytes:.1f} MB)"
        return VideoBox(key, video.kind, caption, embedded=video.encode())
    caption = (
        f"{video.path.name}, {what}; beside this page ({megabytes:.1f} MB), keep both together"
    )
    return VideoBox(key, video.kind, caption, address=video.address(page))


def build_time_axis(runs: Sequence[RunData]) -> dict[str, Any]:
    """The frames that all charts over time span, and how far one is from the next."""
    known = [run.frames["frame"] for run in runs if len(run.frames)]
    if not known:
        return {"span": [0, 0], "step": 1}
    steps = [float(np.median(np.diff(frame))) for frame in known if len(frame) > 1]
    first, last = min(frame[0] for frame in known), max(frame[-1] for frame in known)
    return {"span": [int(first), int(last)], "step": int(min(steps, default=1))}
