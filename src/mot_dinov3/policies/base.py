"""What a policy is to the scheduler."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from mot_dinov3.structures import BoolArray, EmbedPlan, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class PlanInput:
    """What a policy may look at: N detections of a frame and T active tracks.

    Attributes:
        iou: (N, T) float32 IoU of each detection with each active track's predicted box.
        overlap: (N,) float32 highest IoU of each detection with another of its class.
        eligible: (N,) bool, confident enough to be embedded at all.
        staleness: (T,) int64 frames since each track last had a real embedding.
        known: (T,) bool, whether a track has any embedding to reuse.
    """

    iou: FloatArray
    overlap: FloatArray
    eligible: BoolArray
    staleness: IntArray
    known: BoolArray


class Policy(Protocol):
    """Decides the fate of every detection's embedding; pure: no clock, no model."""

    def plan(self, scene: PlanInput) -> EmbedPlan:
        """A partition of the detections into critical, refresh and reuse."""
