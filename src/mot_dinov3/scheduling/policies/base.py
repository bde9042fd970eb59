"""What a policy is to the scheduler."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Protocol

from mot_dinov3.errors import UsageError
from mot_dinov3.values import BoolArray, EmbedPlan, FloatArray, IntArray, check_shapes

POOR_QUALITY = 0.4
"""Crops below this enter no gallery, and must look more like a lost identity to bring it back."""


@dataclass(frozen=True, slots=True)
class PlanInput:
    """What a policy may look at: N detections, T active tracks and L lost ones of a frame.

    Place alone is in here, and what galleries held before this frame: nothing of what the
    detections look like is known before they are embedded.

    Attributes:
        frame_index: how many frames were tracked before this one (a stride leaves no gaps).
        frame_wh: width and height of the frame in pixels, (0, 0) where it is not known.
        xyxy: (N, 4) float32 detections, pixels of the frame.
        score: (N,) float32 the detector's confidence.
        eligible: (N,) bool, confident enough to be embedded at all.
        fertile: (N,) bool, confident enough to start a track.
        quality: (N,) float32 in [0, 1], how well a crop would show the object.
        overlap: (N,) float32 highest IoU of each detection with another of its class.
        iou: (N, T) float32 IoU of each detection with each active track's predicted box.
        cost: (N, T) float32 what association charges for a pair by place alone, see
            `Associator.place_cost`; infinity where it refuses the pair.
        track_id: (T,) int64.
        track_xyxy: (T, 4) float32 predicted boxes.
        ahead_xyxy: (T, 4) float32 the same boxes `planning.AHEAD_S` seconds later.
        confirmed: (T,) bool, not tentative any more.
        hits: (T,) int64 frames in which a detection continued the track.
        staleness: (T,) int64 frames since each track last had a real embedding.
        disputed: (T,) bool, arbitration waits for a good crop of the track.
        known: (T,) bool, whether a track has any embedding to reuse.
        gallery_count: (T,) int64 real embeddings that the track remembers having had.
        drift: (T,) float32 running mean of 1 - cosine of consecutive real embeddings.
        surprise: (T,) float32 1 - cosine of the last real embedding with those before it.
        appearance: (T, D) float32 unit rows where `known`, the mean of a track's embeddings.
        lost_id: (L,) int64.
        lost_xyxy: (L, 4) float32 where they would be by now.
        lost_known: (L,) bool, whether a lost track has any embedding to return by.
        lost_appearance: (L, D) float32 as `appearance`.
        lost_s: (L,) float32 seconds since a detection continued it.
        lost_cost: (N, L) float32 as `cost`, for lost tracks.
        returns: (N, L) bool, whether association would let a detection return as a lost track
            if only it looked like it.
    """

    frame_index: int
    frame_wh: tuple[int, int]
    xyxy: FloatArray
    score: FloatArray
    eligible: BoolArray
    fertile: BoolArray
    quality: FloatArray
    overlap: FloatArray
    iou: FloatArray
    cost: FloatArray
    track_id: IntArray
    track_xyxy: FloatArray
    ahead_xyxy: FloatArray
    confirmed: BoolArray
    hits: IntArray
    staleness: IntArray
    disputed: BoolArray
    known: BoolArray
    gallery_count: IntArray
    drift: FloatArray
    surprise: FloatArray
    appearance: FloatArray
    lost_id: IntArray
    lost_xyxy: FloatArray
    lost_known: BoolArray
    lost_appearance: FloatArray
    lost_s: FloatArray
    lost_cost: FloatArray
    returns: BoolArray

    def __post_init__(self) -> None:
        n, t, m = len(self.eligible), len(self.track_id), len(self.lost_id)
        check_shapes(
            "PlanInput",
            xyxy=(self.xyxy, (n, 4)),
            fertile=(self.fertile, (n,)),
            quality=(self.quality, (n,)),
            iou=(self.iou, (n, t)),
            cost=(self.cost, (n, t)),
            lost_cost=(self.lost_cost, (n, m)),
            returns=(self.returns, (n, m)),
        )

    def __len__(self) -> int:
        return len(self.eligible)


@dataclass(frozen=True, slots=True)
class Argument:
    """The number that may stand behind a policy's colon, such as 5 in `interval:5`.

    Attributes:
        name: how `--help` calls it.
        default: what it is where nothing stands there.
        least: the least number that makes sense.
        most: the greatest number that makes sense.
        low: where a search over its values begins.
        high: where it ends.
        digits: decimals that a search keeps, 0 for whole numbers.
        compared: the numbers that `replay` compares unless told otherwise; none for the default.
    """

    name: str
    default: float
    least: float
    low: float
    high: float
    digits: int = 2
    compared: tuple[float, ...] = ()
    most: float = math.inf

    def read(self, policy: str, text: str) -> float:
        """The number that stands behind the name of `policy`, or the default.

        Raises:
            UsageError: the text is not a number, or one below the least or above the most.
        """
        if not text:
            return self.default
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not self.least <= number <= self.most or number == math.inf:
            bounded = f"from {self.least:g} to {self.most:g}"
            limits = f"of at least {self.least:g}" if self.most == math.inf else bounded
            raise UsageError(
                f"--embed-policy {policy}:{text} needs a number {limits}.",
                fix=f"Write for example --embed-policy {policy}:{self.default:g}.",
            )
        return number


class Policy(Protocol):
    """Decides the fate of every detection's embedding; pure: no clock, no model.

    It is built from the configuration and the argument that stood behind its name, "5" for
    `--embed-policy interval:5`, "" for none.

    Attributes:
        argument: the number that it takes, None for none.
        settings: those of `RULE_SETTINGS` that it reads.
        refreshes: whether it leaves anything to a budget that bounds refreshes only.
        embeds: whether it ever has anything embedded.
    """

    argument: ClassVar[Argument | None] = None
    settings: ClassVar[tuple[str, ...]] = ()
    refreshes: ClassVar[bool] = True
    embeds: ClassVar[bool] = True

    def plan(self, scene: PlanInput) -> EmbedPlan:
        """Divide the detections into critical, refresh and reuse."""


def refuse_argument(policy: str, text: str) -> None:
    """Refuse what stands behind the name of a policy that takes no argument.

    Raises:
        UsageError: something stands there.
    """
    if text:
        raise UsageError(
            f"--embed-policy {policy} takes no argument, got '{text}'.",
            fix=f"Write --embed-policy {policy}.",
        )
