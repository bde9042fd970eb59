"""Familiar trackers as settings: what each published method switches on or off.

They name what the methods add to one another, on this tracker's own filter and stages; they are
not the authors' programs, and their figures are not the authors' figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mot_dinov3.config.habits import TRACKERS
from mot_dinov3.config.tracking.tracker import END_TO_END
from mot_dinov3.errors import UnknownNameError

DEFAULT_PRESET = "default"

PLAIN: dict[str, Any] = {
    "strong_share": 0.0,
    "birth_share": 1.0,
    "birth_iou": 1.0,
    "steady": False,
    "recent_first": False,
    "box_growth": 0.0,
    "box_growth_rate": 0.0,
    "height_power": 0.0,
    "score_fusion": 0.0,
    "momentum": 0.0,
    "hasty_iou": 1.0,
    "velocity_noise": 1 / 160,
    "noise_by_score": 1.0,
    "size_basis": "height",
    "damping": 1.0,
    "position_noise": 1 / 20,
    "measurement_noise": 1 / 20,
    "worst_cost": 0.8,
    "low_window": 0.0,
}
"""Plain overlap on a plain filter: what all of them start from."""

OC_SORT = PLAIN | {
    "conf": 0.6,
    "match_iou": 0.3,
    "momentum": 0.2,
    "momentum_span": 0.1,
    "re_update": True,
    "max_lost": 1.0,
}
"""What OC-SORT and its successor have in common."""


@dataclass(frozen=True, slots=True)
class TrackerPreset:
    """A familiar tracker.

    Attributes:
        line: what it is, for `--help`.
        values: configuration key -> value of everything that it sets.
    """

    line: str
    values: Mapping[str, Any]


PRESETS: Mapping[str, TrackerPreset] = {
    DEFAULT_PRESET: TrackerPreset("this program's own settings", {}),
    "bytetrack": TrackerPreset(
        "boxes alone, weak detections in a second round (Zhang et al. 2022)",
        PLAIN
        | {
            "conf": 0.6,
            "match_iou": 0.2,
            "score_fusion": 1.0,
            "low_match_iou": 0.5,
            "tentative_iou": 0.3,
            "max_lost": 1.0,
            "appearance_weight": 0.0,
        },
    ),
    "ocsort": TrackerPreset(
        "boxes and the direction of their motion (OC-SORT, Cao et al. 2023)",
        OC_SORT | {"appearance_weight": 0.0},
    ),
    "strongsort": TrackerPreset(
        "appearance first, and camera motion (StrongSORT, Du et al. 2023)",
        PLAIN
        | {
            "conf": 0.6,
            "match_iou": 0.3,
            "noise_by_score": 0.05,
            "max_lost": 1.0,
            "appearance_weight": 0.98,
            "cmc": "flow",
        },
    ),
    "deepocsort": TrackerPreset(
        "OC-SORT with appearance and camera motion (Maggiolino et al. 2023)",
        OC_SORT | {"appearance_weight": 0.75, "adaptive_appearance": True, "cmc": "flow"},
    ),
    END_TO_END: TrackerPreset(
        "one network of train motr that finds and follows (SambaMOTR, Segu et al. 2024)",
        {
            "system": END_TO_END,
            "conf": 0.5,
            "low_conf": 0.5,
            "birth_iou": 0.7,
            "max_lost": 1.2,
        },
    ),
}


def preset(name: str) -> dict[str, Any]:
    """The keys that a preset sets; whatever the user sets comes before them.

    Raises:
        UnknownNameError: there is no such preset; the message lists the known ones.
    """
    if name not in PRESETS:
        raise UnknownNameError("tracker", name, PRESETS, TRACKERS)
    return dict(PRESETS[name].values)
