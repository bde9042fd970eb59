"""How identities are born, kept and given up."""

from __future__ import annotations

from dataclasses import dataclass

from mot_dinov3.config.fields import flag, require


@dataclass(frozen=True, slots=True)
class TrackerConfig:
    """Births, confirmations and deaths."""

    system: str = flag("modular", "--system", "which system tracks: modular", metavar="NAME")
    tracker: str = flag(
        "default", "--tracker", "preset: default, bytetrack, ocsort, strongsort or deepocsort"
    )
    strong_share: float = flag(
        0.68, "--strong-share", "a detection is strong from this share of the usual confidence on"
    )
    birth_share: float = flag(
        1.1, "--birth-share", "and starts a track from this share of a strong one's confidence on"
    )
    birth_iou: float = flag(0.95, "--birth-iou", "no birth over a seen track at or above this IoU")
    max_lost_s: float = flag(1.8, "--max-lost", "seconds a lost track is kept and predicted")
    reid_s: float = flag(10.0, "--reid-window", "seconds a lost track may return by appearance")
    min_hits: int = flag(2, "--min-hits", "matched frames before a track is confirmed")

    def __post_init__(self) -> None:
        require(0 <= self.strong_share <= 1, "--strong-share", "between 0 and 1", self.strong_share)
        require(0 <= self.birth_share <= 2, "--birth-share", "between 0 and 2", self.birth_share)
        require(0 <= self.birth_iou <= 1, "--birth-iou", "between 0 and 1", self.birth_iou)
        require(0 <= self.max_lost_s < 1e7, "--max-lost", "0 to 1e7", self.max_lost_s)
        require(0 <= self.reid_s < 1e7, "--reid-window", "0 to 1e7", self.reid_s)
        require(self.min_hits >= 1, "--min-hits", "at least 1", self.min_hits)
