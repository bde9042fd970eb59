"""Who is who: gates, costs and the order of the stages."""

from __future__ import annotations

from dataclasses import dataclass

from mot_dinov3.config.fields import flag, require


@dataclass(frozen=True, slots=True)
class AssociationConfig:
    """What makes a pair of detection and track possible, and what makes it likely."""

    no_hungarian: bool = flag(False, "--no-hungarian", "greedy instead of optimal assignment")
    match_iou: float = flag(0.2, "--match-iou", "no match below this overlap with the prediction")
    worst_cost: float = flag(
        0.8, "--worst-cost", "leaving a detection and a track alone costs this much, 1e3 = no end"
    )
    hasty_iou: float = flag(
        1.0, "--hasty-iou", "the same in a second try for tracks seen a frame ago, 1 = no such try"
    )
    low_match_iou: float = flag(0.6, "--low-match-iou", "the same for weak detections")
    low_window_s: float = flag(
        0.1, "--low-window", "seconds a track may have been unseen for a weak detection to find it"
    )
    tentative_iou: float = flag(0.3, "--tentative-iou", "the same for unconfirmed tracks")
    recent_first: bool = flag(
        False, "--recent-first", "tracks seen a frame ago choose before lost ones"
    )
    growth: float = flag(0.04, "--box-growth", "boxes grow by this share of their size (C-BIoU)")
    growth_per_s: float = flag(
        0.4, "--box-growth-rate", "and by this much more for each second a track is lost"
    )
    growth_limit: float = flag(0.5, "--box-growth-limit", "but never by more than this")
    height_power: float = flag(
        1.0, "--height-power", "overlap counts times the overlap of heights to this power (HMIoU)"
    )
    score_fusion: float = flag(
        0.6, "--score-fusion", "how much a detection's confidence counts in its overlap, 0 to 1"
    )
    momentum: float = flag(0.0, "--momentum", "weight of a turn in the direction of motion (OCM)")
    momentum_s: float = flag(0.1, "--momentum-span", "seconds over which a direction is measured")
    appearance_weight: float = flag(
        0.6, "--appearance-weight", "share of the cosine term where there is evidence"
    )
    adaptive_appearance: bool = flag(
        False, "--adaptive-appearance", "less of it where several tracks look alike (Deep OC-SORT)"
    )
    reid_similarity: float = flag(
        0.7, "--reid-similarity", "cosine that a lost track needs to return"
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
        require(0 < self.momentum_s <= 10, "--momentum-span", "above 0, at most 10",
                self.momentum_s)  # fmt: skip
        require(0 <= self.low_window_s <= 1e3, "--low-window", "0 or more", self.low_window_s)
        require(-1 <= self.reid_similarity <= 1, "--reid-similarity", "between -1 and 1",
                self.reid_similarity)  # fmt: skip
