"""How tracks are initiated, confirmed and removed."""

from __future__ import annotations

from dataclasses import dataclass

from mot_dinov3.config.fields import flag, require

END_TO_END = "samba-motr"
"""The system that is one network."""


@dataclass(frozen=True, slots=True)
class TrackerConfig:
    """How tracks are initiated, confirmed and removed."""

    system: str = flag("modular", "--system", "system that tracks", metavar="NAME")
    tracker: str = flag("default", "--tracker", "settings of a familiar tracker", metavar="NAME")
    model: str = flag(
        "", "--model", "folder of train motr that --tracker samba-motr tracks with", metavar="DIR"
    )
    strong_share: float = flag(
        0.68,
        "--strong-share",
        "part of the usual confidence from which on a detection is strong",
        metavar="SHARE",
    )
    birth_share: float = flag(
        1.1,
        "--birth-share",
        "part of a strong detection's confidence from which on a detection starts a track",
        metavar="SHARE",
    )
    birth_iou: float = flag(
        0.95,
        "--birth-iou",
        "overlap with a seen track from which on a detection starts no track",
        metavar="IOU",
    )
    max_lost_s: float = flag(
        1.8, "--max-lost", "time for which a lost track is kept and predicted", metavar="SECONDS"
    )
    reid_s: float = flag(
        10.0,
        "--reid-window",
        "time for which a lost track may return by appearance",
        metavar="SECONDS",
    )
    arbitrate: bool = flag(
        False,
        "--arbitrate",
        "let tracks that overlapped exchange their ids where embeddings from after say so",
    )
    min_hits: int = flag(2, "--min-hits", "matched frames that confirm a track", metavar="FRAMES")

    def __post_init__(self) -> None:
        require(0 <= self.strong_share <= 1, "--strong-share", "between 0 and 1", self.strong_share)
        require(0 <= self.birth_share <= 2, "--birth-share", "between 0 and 2", self.birth_share)
        require(0 <= self.birth_iou <= 1, "--birth-iou", "between 0 and 1", self.birth_iou)
        require(0 <= self.max_lost_s < 1e7, "--max-lost", "0 to 1e7", self.max_lost_s)
        require(0 <= self.reid_s < 1e7, "--reid-window", "0 to 1e7", self.reid_s)
        require(self.min_hits >= 1, "--min-hits", "at least 1", self.min_hits)
