"""When an embedding is computed, and what it may cost."""

from __future__ import annotations

from dataclasses import dataclass

from mot_dinov3.config.fields import flag, require
from mot_dinov3.errors import UsageError

DEFAULT_POLICY = "value"


@dataclass(frozen=True, slots=True)
class SchedulerConfig:
    """When an embedding is computed, reused or refreshed, and what that may cost."""

    embed_policy: str = flag(
        DEFAULT_POLICY, "--embed-policy", "what decides which crops are embedded", metavar="NAME"
    )
    refresh_every: int = flag(
        5,
        "--embed-refresh",
        "refresh a stable track every COUNT frames (policy continuity)",
        metavar="COUNT",
    )
    iou_gate: float = flag(
        0.6,
        "--embed-iou-gate",
        "least overlap at which an embedding is reused (policy continuity)",
        metavar="IOU",
    )
    overlap_thr: float = flag(
        0.2,
        "--embed-overlap-thr",
        "overlap with another box from which on a box is crowded (policy continuity)",
        metavar="IOU",
    )
    budget_ms: float = flag(
        0.0,
        "--embed-budget-ms",
        "time per frame that embeddings of known tracks may fill; 0 for no limit",
        metavar="MS",
    )
    budget_crops: int = flag(
        0,
        "--embed-budget-crops",
        "most embeddings of known tracks per frame, repeatable; 0 for no limit",
        metavar="COUNT",
    )
    hard_budget: bool = flag(
        False, "--embed-hard-budget", "let the budget also limit new and ambiguous detections"
    )
    target_fps: float = flag(
        0.0,
        "--target-fps",
        "embed in the time that this frame rate leaves; 0 for no target",
        metavar="FPS",
    )
    embed_all: bool = flag(False, "--embed-all", "embed every detection (--embed-policy always)")

    chunk: int = 8
    critical_batch: int = 64

    def __post_init__(self) -> None:
        require(self.refresh_every >= 1, "--embed-refresh", "at least 1", self.refresh_every)
        require(0 <= self.iou_gate <= 1, "--embed-iou-gate", "between 0 and 1", self.iou_gate)
        require(
            0 <= self.overlap_thr <= 1, "--embed-overlap-thr", "between 0 and 1", self.overlap_thr
        )
        require(0 <= self.budget_ms < 1e7, "--embed-budget-ms", "0 or more", self.budget_ms)
        require(self.budget_crops >= 0, "--embed-budget-crops", "0 or more", self.budget_crops)
        require(0 <= self.target_fps <= 1000, "--target-fps", "0 to 1000", self.target_fps)
        budgets = {
            "--embed-budget-ms": self.budget_ms,
            "--embed-budget-crops": self.budget_crops,
            "--target-fps": self.target_fps,
        }
        given = [name for name, value in budgets.items() if value]
        if len(given) > 1:
            raise UsageError(
                f"{' and '.join(given)} are two ways to say one thing.", fix="Keep one of them."
            )
        if self.hard_budget and not given:
            raise UsageError(
                "--embed-hard-budget has no budget to enforce.",
                fix="Add --embed-budget-ms MS, --embed-budget-crops N or --target-fps F.",
            )
        if self.embed_all and self.embed_policy not in (DEFAULT_POLICY, "always"):
            raise UsageError(
                f"--embed-all means --embed-policy always, not {self.embed_policy}.",
                fix="Keep one of them.",
            )

    @property
    def bounds_critical(self) -> bool:
        """Whether critical work, too, has to fit; a frame rate can't be kept otherwise."""
        return self.hard_budget or self.target_fps > 0

    @property
    def policy(self) -> tuple[str, str]:
        """The name of the policy, and what stands behind its colon."""
        name, _, argument = ("always" if self.embed_all else self.embed_policy).partition(":")
        return name, argument
