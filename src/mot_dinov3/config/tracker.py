"""Who continues whom."""

from __future__ import annotations

from dataclasses import dataclass

from mot_dinov3.config.fields import flag, require


@dataclass(frozen=True, slots=True)
class TrackerConfig:
    """Who continues whom, and for how long an identity is remembered."""

    no_hungarian: bool = flag(False, "--no-hungarian", "greedy instead of optimal assignment")
    match_iou: float = flag(0.3, "--match-iou", "no match below this IoU with the prediction")
    low_match_iou: float = flag(0.5, "--low-match-iou", "the same for weak detections")
    appearance_weight: float = flag(
        0.4, "--appearance-weight", "share of the cosine term where there is evidence"
    )
    reid_similarity: float = flag(
        0.7, "--reid-similarity", "cosine that a lost track needs to return"
    )
    max_lost_s: float = flag(2.0, "--max-lost", "seconds a lost track is kept and predicted")
    reid_s: float = flag(10.0, "--reid-window", "seconds a lost track may return by appearance")
    min_hits: int = flag(2, "--min-hits", "matched frames before a track is confirmed")

    def __post_init__(self) -> None:
        for name, value in (
            ("--match-iou", self.match_iou),
            ("--low-match-iou", self.low_match_iou),
            ("--appearance-weight", self.appearance_weight),
        ):
            require(0 <= value <= 1, name, "between 0 and 1", value)
        require(-1 <= self.reid_similarity <= 1, "--reid-similarity", "between -1 and 1",
                self.reid_similarity)  # fmt: skip
        require(0 <= self.max_lost_s < 1e7, "--max-lost", "0 to 1e7", self.max_lost_s)
        require(0 <= self.reid_s < 1e7, "--reid-window", "0 to 1e7", self.reid_s)
        require(self.min_hits >= 1, "--min-hits", "at least 1", self.min_hits)
