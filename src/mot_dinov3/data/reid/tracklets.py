"""Which boxes of tracks become pictures to learn from, and what tracklets tell without labels.

Only boxes and numbers are looked at, no picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from mot_dinov3.config.fields import flag, require
from mot_dinov3.data.reid.crops import UNKNOWN, Crops
from mot_dinov3.io.formats.mot import MotTable
from mot_dinov3.values import BoolArray, FloatArray, FrameResult, IntArray, Tracks
from mot_dinov3.values.boxes import iou, reach_border, sides

CANDIDATES = 3
"""Boxes of one part of a tracklet's time, of which the sharpest becomes a picture."""
GRID = 16
"""Points a side at which a box is looked at to tell how much of it others hide."""
JUMP = 0.3
"""A track whose box has less IoU than this with the one before has gone over to another object."""
BORDER_PX = 2.0
"""A box that comes so near to the picture's border is taken for one that the border cuts."""

SHORT, UNSURE, SMALL, CUT, HIDDEN = (
    "in short tracklets",
    "unsure",
    "small",
    "at the border",
    "hidden",
)
"""Why boxes are left out, in the order in which that is asked."""


@dataclass(frozen=True, slots=True)
class CropConfig:
    """Which boxes become pictures."""

    min_frames: int = flag(
        10, "--min-frames", "leave out tracklets of fewer boxes that are kept", metavar="COUNT"
    )
    min_score: float = flag(
        0.4, "--min-score", "leave out boxes of less detector confidence", metavar="SCORE"
    )
    min_size: float = flag(
        32.0, "--min-size", "leave out boxes whose longer side is shorter", metavar="PIXELS"
    )
    min_visibility: float = flag(
        0.6,
        "--min-visibility",
        "leave out boxes of which less can be seen; a box hides those behind it, whose lower edge "
        "is further up",
        metavar="SHARE",
    )
    keep_cut: bool = flag(False, "--keep-cut", "keep boxes that the picture's border cuts")
    per_track: int = flag(
        16, "--per-track", "most pictures of a tracklet, spread over its time", metavar="COUNT"
    )
    max_gap: int = flag(
        1,
        "--max-gap",
        "cut a track in two where more frames than these pass without a box that is kept; -1 "
        "keeps tracks whole",
        metavar="FRAMES",
    )

    def __post_init__(self) -> None:
        for name in ("min_frames", "per_track"):
            value = getattr(self, name)
            require(value >= 1, f"--{name.replace('_', '-')}", "1 or more", value)
        for name in ("min_score", "min_visibility"):
            value = getattr(self, name)
            require(0 <= value <= 1, f"--{name.replace('_', '-')}", "between 0 and 1", value)
        require(self.min_size >= 0, "--min-size", "0 or more", self.min_size)
        require(self.max_gap >= -1, "--max-gap", "-1 or more", self.max_gap)


@dataclass(frozen=True, slots=True)
class CropPlan:
    """The boxes that may become pictures: of those with one `place` in a tracklet one does.

    Attributes:
        rows: (M,) int64 rows of the table, in order of time.
        tracklet: (M,) int64 tracklet of each, counted from 0 without gaps.
        place: (M,) int64 part of the tracklet's time, counted from 0.
        tracks: how many there were, before any was cut or left out.
        left_out: why boxes were left out -> how many.
    """

    rows: IntArray
    tracklet: IntArray
    place: IntArray
    tracks: int
    left_out: dict[str, int]

    @property
    def identities(self) -> int:
        """How many tracklets have pictures."""
        return len(np.unique(self.tracklet))

    @property
    def pictures(self) -> int:
        """How many pictures there will be."""
        return len(np.unique(np.stack((self.tracklet, self.place), axis=1), axis=0))


def collect_boxes(results: Iterable[FrameResult]) -> MotTable:
    """The boxes of confirmed tracks where they were seen, of all frames."""
    found = [(result.frame_index, result.tracks[result.tracks.present]) for result in results]
    parts = [tracks for _, tracks in found] or [Tracks.empty()]
    frames = [np.full(len(tracks), index, np.int64) for index, tracks in found]
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("xyxy", "score", "class_id")
    }
    track_id = np.concatenate([part.id for part in parts])
    frame_index = np.concatenate(frames or [track_id])
    seen = np.ones(len(track_id), np.float32)
    return MotTable(frame_index=frame_index, track_id=track_id, visibility=seen, **columns)


def plan_crops(
    table: MotTable, wanted: BoolArray, size: tuple[int, int], config: CropConfig, *, tracked: bool
) -> CropPlan:
    """Decide which boxes become pictures.

    Args:
        table: all boxes; also those that are not wanted hide others.
        wanted: (N,) the boxes that may become pictures.
        size: width and height of the picture.
        config: the limits.
        tracked: a tracker made the tracks, and may have confused objects.
    """
    longer = (table.xyxy[:, 2:] - table.xyxy[:, :2]).max(axis=1, initial=0)
    reasons = {
        UNSURE: table.score < config.min_score,
        SMALL: longer < max(config.min_size, 1),
        CUT: reach_border(table.xyxy, size, BORDER_PX) & (not config.keep_cut),
        HIDDEN: measure_visibility(table) < config.min_visibility,
    }
    fine, left_out = wanted.copy(), {}
    for name, bad in reasons.items():
        left_out[name] = int((fine & bad).sum())
        fine &= ~bad
    rows = fine.nonzero()[0]
    cut = tracked and config.max_gap >= 0
    track = cut_tracks(table, rows, config.max_gap) if cut else table.track_id[rows]
    _, where, boxes = np.unique(track, return_inverse=True, return_counts=True)
    long = (boxes >= config.min_frames)[where]
    left_out[SHORT] = int((~long).sum())
    rows, track = rows[long], track[long]
    place, kept = spread(track, config.per_track)
    _, tracklet = np.unique(track[kept], return_inverse=True)
    tracks = len(np.unique(table.track_id[wanted]))
    return CropPlan(rows[kept], tracklet, place[kept], tracks, left_out)


def cut_tracks(table: MotTable, rows: IntArray, max_gap: int) -> IntArray:
    """(M,) the tracklet of each of the boxes `rows` of a tracker, which may have confused objects.

    That happens while an object is hidden, at the border or not found for sure. So a track is cut
    where its boxes are missing for longer than `max_gap` frames, and where it jumps.
    """
    track = table.track_id[rows]
    order = np.argsort(track, kind="stable")
    track, frame, xyxy = track[order], table.frame_index[rows][order], table.xyxy[rows][order]
    step = max(int(np.gcd.reduce(np.diff(np.unique(table.frame_index)))), 1)
    begins = np.ones(len(rows), np.bool_)
    begins[1:] = np.diff(track) != 0
    begins[1:] |= np.diff(frame) > (max_gap + 1) * step
    begins[1:] |= iou(sides(xyxy[1:]), sides(xyxy[:-1])) < JUMP
    out = np.empty_like(track)
    out[order] = begins.cumsum()
    return out


def spread(track: IntArray, most: int) -> tuple[IntArray, BoolArray]:
    """Divide the boxes of each track into parts of equal length, in order of time.

    Args:
        track: (N,) track of each box, boxes in order of time.
        most: parts of a track; a track of fewer boxes has a part for each.

    Returns:
        (N,) the part of each box, and (N,) whether it is one of those in the middle of it.
    """
    order = np.argsort(track, kind="stable")
    _, first, boxes = np.unique(track[order], return_index=True, return_counts=True)
    length = np.repeat(boxes, boxes)
    parts = np.minimum(length, most)
    rank = np.arange(len(track)) - np.repeat(first, boxes)
    part = rank * parts // length
    begin, end = (-(-edge * length // parts) for edge in (part, part + 1))
    few = np.minimum(CANDIDATES, end - begin)
    from_first = rank - begin - (end - begin - few) // 2
    place, kept = np.empty_like(part), np.empty(len(track), np.bool_)
    place[order], kept[order] = part, (from_first >= 0) & (from_first < few)
    return place, kept


def measure_visibility(table: MotTable) -> FloatArray:
    """(N,) share of each box that can be seen: what the table says, and no more than others leave.

    A box whose lower edge is further down stands nearer to the camera, and hides what it covers.
    """
    out = table.visibility.copy()
    for rows in iterate_frames(table):
        np.minimum(out[rows], 1 - find_covered(table.xyxy[rows]), out=out[rows])
    return out


def iterate_frames(table: MotTable) -> Iterator[slice]:
    """The rows of each frame that has boxes."""
    edges = np.flatnonzero(np.diff(table.frame_index, prepend=-1, append=-1)).tolist()
    yield from map(slice, edges[:-1], edges[1:])


def find_covered(xyxy: FloatArray) -> FloatArray:
    """(N,) share of each box (N, 4) of a frame that boxes with a lower edge further down cover."""
    step = (np.arange(GRID, dtype=np.float32) + 0.5) / GRID
    points = xyxy[:, :2, None] + (xyxy[:, 2:] - xyxy[:, :2])[:, :, None] * step
    nearer = xyxy[None, :, 3] > xyxy[:, None, 3]
    # (N, N, 2, GRID) whether a column, and a row, of points of a box lies in a nearer box
    inside = (points[:, None] > xyxy[:, :2, None]) & (points[:, None] < xyxy[:, 2:, None])
    inside &= nearer[:, :, None, None]
    columns, rows = np.moveaxis(inside, 2, 0).astype(np.float32)
    covered = columns.transpose(0, 2, 1) @ rows
    return np.asarray((covered > 0).mean(axis=(1, 2)), np.float32)


def find_cannot_links(crops: Crops) -> IntArray:
    """Pairs of tracklets that cannot be one object: a camera saw both at the same time.

    Identities are tracklets here: the crops of one show one object. Those of one camera and one
    sequence whose first to last frames overlap show different objects.

    Args:
        crops: those of an unknown camera or frame tell nothing.

    Returns:
        (M, 2) int64 identities, the smaller number first, each pair once, sorted.
    """
    known = crops[(crops.camera != UNKNOWN) & (crops.frame != UNKNOWN)]
    scenes = np.stack((known.camera, known.sequence), axis=1)
    found = [np.empty((0, 2), np.int64)]
    for scene in np.unique(scenes, axis=0):
        part = known[(scenes == scene).all(axis=1)]
        who, row = np.unique(part.identity, return_inverse=True)
        first, last = np.full(len(who), np.iinfo(np.int64).max), np.full(len(who), UNKNOWN)
        np.minimum.at(first, row, part.frame)
        np.maximum.at(last, row, part.frame)
        order = first.argsort(kind="stable")
        # In order of their beginning, a tracklet overlaps those up to the last one that began in
        # its time.
        others = np.searchsorted(first[order], last[order], side="right") - np.arange(len(who)) - 1
        one = np.repeat(np.arange(len(who)), others)
        other = one + 1 + np.arange(len(one)) - np.repeat(others.cumsum() - others, others)
        found.append(np.sort(who[order[np.stack((one, other), axis=1)]], axis=1))
    return np.unique(np.concatenate(found), axis=0)
