"""Which models and settings look at the pictures of a recording."""

from __future__ import annotations

from typing import Any

from mot_dinov3.config import TrackConfig
from mot_dinov3.lab.recordings.cache import Recipe
from mot_dinov3.perception.detectors.base import Detector
from mot_dinov3.perception.features.base import Embedder

SETTINGS = {
    "source": ("start_frame", "end_frame", "max_frames", "vid_stride"),
    "detector": ("conf", "low_conf", "imgsz", "classes"),
    "device": ("half",),
    "embedder": ("embed_amp", "crop_pad", "crop_square"),
}
"""Stage -> fields that decide what is recorded."""


def recipe_of(config: TrackConfig, detector: Detector, embedder: Embedder | None) -> Recipe:
    """Titles and fingerprints of what was loaded, and the settings that decide the numbers.

    Raises:
        MotError: a file of weights cannot be read any more.
    """
    return Recipe(
        detector="stored detections" if detector.repeated else detector.title,
        detector_weights=detector.fingerprint,
        embedder=embedder.title if embedder else "none",
        embedder_weights=embedder.fingerprint if embedder else "",
        settings=settings_of(config),
    )


def settings_of(config: TrackConfig) -> dict[str, Any]:
    """The settings that decide what a recording holds, by key."""
    out = {
        name: getattr(getattr(config, stage), name)
        for stage, names in SETTINGS.items()
        for name in names
    }
    if config.cheap.wanted:
        out["cheap_evidence"] = config.cheap.cheap_evidence
    return out
