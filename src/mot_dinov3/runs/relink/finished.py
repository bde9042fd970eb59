"""The tracklets of a finished run, from what it wrote."""

from __future__ import annotations

from pathlib import Path

from mot_dinov3.errors import InputError
from mot_dinov3.io.formats.frame_log import FrameLog
from mot_dinov3.runs.relink.archives import read_looks
from mot_dinov3.runs.relink.collector import TrackletCollector
from mot_dinov3.runs.relink.tracklets import Tracklet
from mot_dinov3.wording import counted


def read_tracklets(journal: Path, embeddings: Path) -> list[Tracklet]:
    """The confirmed identities of a run: those that `--relink` would have gathered meanwhile.

    Args:
        journal: what `--save-jsonl` wrote, also of a killed run.
        embeddings: what `--save-embeddings` wrote in the same run.

    Raises:
        InputError: one of them cannot be read, or they are not of one run.
    """
    collector = TrackletCollector()
    fresh = 0
    for record in FrameLog(journal):
        collector.follow(record.result)
        tracks = record.result.tracks
        fresh += int((tracks.fresh & (tracks.detection >= 0)).sum())
    rows = 0
    for numbers, memorable, vectors in read_looks(embeddings):
        rows += len(numbers)
        for row in memorable.nonzero()[0].tolist():
            collector.remember(int(numbers[row]), vectors[row])
    if rows != fresh:
        raise InputError(
            f"'{journal}' tells of {counted(fresh, 'embedding')}, but '{embeddings}' holds {rows}.",
            fix="Give two files of one run.",
        )
    return collector.tracklets()
