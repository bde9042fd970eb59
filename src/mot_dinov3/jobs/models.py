"""Models that stay loaded from one clip to the next."""

from __future__ import annotations

from dataclasses import replace

from mot_dinov3.config import TrackConfig
from mot_dinov3.detectors.factory import OF_ONE_CLIP, create_detector, detector_kind
from mot_dinov3.pipeline import Models
from mot_dinov3.session import load_models


class LoadedModels:
    """Detector and embedder for clips that differ in source and outputs alone; loaded once."""

    def __init__(self) -> None:
        self._models: Models | None = None

    @property
    def loaded(self) -> bool:
        """Whether a clip after this one finds its models there."""
        return self._models is not None

    def ready_for(self, config: TrackConfig) -> Models:
        """The models for the next clip; a detector that remembers its clip is made anew.

        Raises:
            MotError: a name, a model or a device is not to be had.
        """
        if self._models is None:
            self._models = load_models(config)
            return self._models
        if detector_kind(config.detector.det) in OF_ONE_CLIP:
            detector = create_detector(config.detector, self._models.device, config.device)
            self._models = replace(self._models, detector=detector)
        return self._models
