"""When an embedding is computed, and what it may cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mot_dinov3.config.fields import flag, require
from mot_dinov3.errors import UsageError

DEFAULT_POLICY = "value"
RULE_POLICY = "continuity"
"""The policy that the settings of `RULE_SETTINGS` choose where none is given."""
RULE_SETTINGS = ("embed_refresh", "embed_iou_gate", "embed_overlap_thr")
"""Configuration keys that mean nothing to the default policy."""


@dataclass(frozen=True, slots=True)
class SchedulerConfig:
    """When an embedding is computed, reused or refreshed, and what that may cost.

    Attributes:
        given: the keys of `RULE_SETTINGS` that the user gave, see `choose_policy`.
        policy_follows: whether these chose the policy.
    """

    embed_policy: str = flag(
        DEFAULT_POLICY, "--embed-policy", "what decides which crops are embedded", metavar="NAME"
    )
    refresh_every: int = flag(
        5,
        "--embed-refresh",
        "refresh a stable track every COUNT frames; chooses the policy continuity",
        metavar="COUNT",
    )
    iou_gate: float = flag(
        0.6,
        "--embed-iou-gate",
        "least overlap at which an embedding is reused; chooses the policy continuity",
        metavar="IOU",
    )
    overlap_thr: float = flag(
        0.2,
        "--embed-overlap-thr",
        "overlap with another box from which on a box is crowded; chooses the policy continuity",
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
    embed_all: bool = flag(
        False, "--embed-all", "embed every detection of at least --conf (--embed-policy always)"
    )

    chunk: int = 8
    critical_batch: int = 64
    given: tuple[str, ...] = field(default=(), compare=False)
    policy_follows: bool = field(default=False, compare=False)

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


def choose_policy(values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `SchedulerConfig` that follow from which keys are given at all.

    Args:
        values: configuration key -> value of what the user or a preset sets. A setting of
            `RULE_SETTINGS` without any policy chooses the policy that reads it.
    """
    given = tuple(key for key in RULE_SETTINGS if key in values)
    follows = bool(given) and "embed_policy" not in values and not values.get("embed_all")
    policy = {"embed_policy": RULE_POLICY} if follows else {}
    return {"given": given, "policy_follows": follows, **policy}
