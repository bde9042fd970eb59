"""Who is who: gates, costs and the order of the stages."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mot_dinov3.config.fields import flag, require

AUTO = "auto"
"""The value of `--reid-similarity` that lets the run find it."""


@dataclass(frozen=True, slots=True)
class AssociationConfig:
    """Which detection continues which track: what is possible, and what is likely."""

    association: str = flag(
        "cascade",
        "--association",
        "what decides which detection continues which track",
        metavar="NAME",
    )
    no_hungarian: bool = flag(
        False, "--no-hungarian", "assign greedily, not with the least total cost"
    )
    match_iou: float = flag(
        0.2, "--match-iou", "least overlap of a detection and a predicted box", metavar="IOU"
    )
    worst_cost: float = flag(
        0.8,
        "--worst-cost",
        "cost of leaving one detection and one track unmatched; 1000 for no limit",
        metavar="COST",
    )
    hasty_iou: float = flag(
        1.0,
        "--hasty-iou",
        "least overlap in a second try for tracks seen in the last frame; 1 for no second try",
        metavar="IOU",
    )
    low_match_iou: float = flag(
        0.6,
        "--low-match-iou",
        "least overlap of a weak detection and a predicted box",
        metavar="IOU",
    )
    low_window_s: float = flag(
        0.1,
        "--low-window",
        "time for which a track may be unseen and still take a weak detection",
        metavar="SECONDS",
    )
    tentative_iou: float = flag(
        0.3,
        "--tentative-iou",
        "least overlap of a detection and the predicted box of an unconfirmed track",
        metavar="IOU",
    )
    recent_first: bool = flag(
        False, "--recent-first", "match tracks seen in the last frame before lost ones"
    )
    growth: float = flag(
        0.04,
        "--box-growth",
        "part of its size by which a box grows before overlaps are computed (C-BIoU)",
        metavar="SHARE",
    )
    growth_per_s: float = flag(
        0.4,
        "--box-growth-rate",
        "part of its size by which a box grows further for each second its track is lost",
        metavar="SHARE",
    )
    growth_limit: float = flag(
        0.5, "--box-growth-limit", "part of its size by which a box grows at most", metavar="SHARE"
    )
    height_power: float = flag(
        1.0,
        "--height-power",
        "power of the overlap of heights, which the overlap of boxes is multiplied by (HMIoU)",
        metavar="POWER",
    )
    score_fusion: float = flag(
        0.6,
        "--score-fusion",
        "how much a detection's confidence counts in its overlap",
        metavar="SHARE",
    )
    momentum: float = flag(
        0.0, "--momentum", "cost of a turn in the direction of motion (OCM)", metavar="WEIGHT"
    )
    momentum_s: float = flag(
        0.1,
        "--momentum-span",
        "time over which a direction of motion is measured",
        metavar="SECONDS",
    )
    appearance_weight: float = flag(
        0.6,
        "--appearance-weight",
        "share of appearance in the cost of a pair that both have an embedding",
        metavar="SHARE",
    )
    adaptive_appearance: bool = flag(
        False,
        "--adaptive-appearance",
        "give appearance less weight where several tracks look alike (Deep OC-SORT)",
    )
    reid_similarity: str = flag(
        AUTO,
        "--reid-similarity",
        "least cosine similarity at which a lost track returns; auto learns it from the run",
        metavar="COSINE",
    )

    def __post_init__(self) -> None:
        for name, value in (
            ("--match-iou", self.match_iou),
            ("--hasty-iou", self.hasty_iou),
            ("--low-match-iou", self.low_match_iou),
            ("--tentative-iou", self.tentative_iou),
            ("--score-fusion", self.score_fusion),
            ("--appearance-weight", self.appearance_weight),
        ):
            require(0 <= value <= 1, name, "between 0 and 1", value)
        for name, value in (
            ("--box-growth", self.growth),
            ("--box-growth-rate", self.growth_per_s),
            ("--box-growth-limit", self.growth_limit),
            ("--height-power", self.height_power),
            ("--momentum", self.momentum),
        ):
            require(0 <= value <= 10, name, "between 0 and 10", value)
        require(0 <= self.worst_cost <= 1e3, "--worst-cost", "between 0 and 1000", self.worst_cost)
        require(
            0 < self.momentum_s <= 10, "--momentum-span", "above 0, at most 10", self.momentum_s
        )
        require(0 <= self.low_window_s <= 1e3, "--low-window", "0 or more", self.low_window_s)
        object.__setattr__(self, "reid_similarity", str(self.reid_similarity))
        gate = self.gate
        require(
            gate is None or -1 <= gate <= 1,
            "--reid-similarity",
            "auto, or between -1 and 1",
            self.reid_similarity,
        )

    @property
    def gate(self) -> float | None:
        """The cosine at which a lost track returns, None where the run finds it."""
        if self.reid_similarity == AUTO:
            return None
        try:
            return float(self.reid_similarity)
        except ValueError:
            return math.nan  # which is in no range
