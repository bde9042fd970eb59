"""Familiar trackers as settings: what each published method switches on or off.

They name what the methods add to one another, on this tracker's own filter and stages; they are
not the authors' programs, and their figures are not the authors' figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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

PRESETS: Mapping[str, Mapping[str, Any]] = {
    DEFAULT_PRESET: {},
    "bytetrack": PLAIN
    | {"conf": 0.6, "match_iou": 0.2, "score_fusion": 1.0, "low_match_iou": 0.5,
       "tentative_iou": 0.3, "max_lost": 1.0, "appearance_weight": 0.0},
    "ocsort": PLAIN
    | {"conf": 0.6, "match_iou": 0.3, "momentum": 0.2, "momentum_span": 0.1, "re_update": True,
       "max_lost": 1.0, "appearance_weight": 0.0},
    "strongsort": PLAIN
    | {"conf": 0.6, "match_iou": 0.3, "noise_by_score": 0.05, "max_lost": 1.0,
       "appearance_weight": 0.98, "cmc": "flow"},
    "deepocsort": PLAIN
    | {"conf": 0.6, "match_iou": 0.3, "momentum": 0.2, "momentum_span": 0.1, "re_update": True,
       "max_lost": 1.0, "appearance_weight": 0.75, "adaptive_appearance": True, "cmc": "flow"},
}  # fmt: skip
"""Preset -> configuration keys. ByteTrack: Zhang et al. 2022; OC-SORT: Cao et al. 2023; StrongSORT:
Du et al. 2023; Deep OC-SORT: Maggiolino et al. 2023."""


def preset(name: str) -> dict[str, Any]:
    """The keys that a preset sets; whatever the user sets himself comes before them.

    Raises:
        UnknownNameError: no such preset; lists those that are.
    """
    if name not in PRESETS:
        raise UnknownNameError("tracker", name, PRESETS)
    return dict(PRESETS[name])
