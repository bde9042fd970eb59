"""Models that stay loaded from one clip to the next."""

from __future__ import annotations

from mot_dinov3.config import EmbedderConfig, TrackConfig
from mot_dinov3.perception.detectors.base import is_of_one_clip
from mot_dinov3.perception.detectors.factory import create_detector
from mot_dinov3.perception.features.base import Embedder, Placement
from mot_dinov3.perception.features.factory import create_embedder
from mot_dinov3.runs.session import load_models
from mot_dinov3.systems.modular import Models


class LoadedModels:
    """Detector and embedder for clips that differ in source and outputs alone; loaded once."""

    def __init__(self) -> None:
        self._models: Models | None = None

    @property
    def loaded(self) -> bool:
        """Whether a clip after this one finds its models there."""
        return self._models is not None

    def ready_for(self, config: TrackConfig) -> Models:
        """The models for the next clip; whoever remembers the last one is made anew.

        Raises:
            MotError: a name, a model or a device is not to be had.
        """
        if self._models is None:
            self._models = load_models(config)
            return self._models
        last = self._models
        detector = last.detector
        if is_of_one_clip(detector):
            detector = create_detector(config.detector, last.device, config.device)
        place = Placement(last.device, config.device, detector=detector)
        self._models = Models(
            detector,
            without_memory(last.embedder, config.embedder, place),
            without_memory(last.cheap, config.cheap.embedder, place),
        )
        return self._models


def without_memory(
    embedder: Embedder | None, config: EmbedderConfig, place: Placement
) -> Embedder | None:
    """The embedder, or another one like it where it would remember what it saw so far."""
    if embedder is None or not embedder.has_memory:
        return embedder
    return create_embedder(config, place)
