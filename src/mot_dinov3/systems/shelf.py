"""Models that several trackers share, each loaded when it is first needed."""

from __future__ import annotations

from collections.abc import Mapping
from threading import RLock

from mot_dinov3.config import TrackConfig
from mot_dinov3.perception.detectors.base import BUILT_IN, Detector
from mot_dinov3.perception.features.base import Embedder, Placement
from mot_dinov3.runtime.device import choose_device
from mot_dinov3.runtime.upload import FrameUpload
from mot_dinov3.systems.assembly import assemble
from mot_dinov3.systems.loading import (
    create_embedders,
    load_detector,
    prepare_loading,
    renew_models,
)
from mot_dinov3.systems.modular import Models, ModularTracker
from mot_dinov3.values import Detections, Frame


class NoDetector:
    """Stands where boxes are supplied; it finds nothing."""

    names: Mapping[int, str] = {}
    title = "boxes of the caller"
    fingerprint, repeated = BUILT_IN, ""
    has_memory = False

    def warm_up(self, width: int, height: int) -> None:
        """Nothing to do."""

    def detect(self, frame: Frame) -> Detections:
        """No objects."""
        return Detections.empty()


class ModelShelf:
    """The models of a configuration, each loaded when it is first taken, for several trackers.

    Args:
        config: stages `detector`, `device`, `embedder` and `cheap` decide what is loaded.

    Attributes:
        config: as given.
        device: torch device string.
        lock: held while one of the trackers is at work, as models take one frame at a time.

    Raises:
        MotError: a name or the device is wrong; models are not looked at yet.
    """

    def __init__(self, config: TrackConfig) -> None:
        prepare_loading(config)
        self.config = config
        self.device = choose_device(config.device)
        self.lock = RLock()
        self._upload = FrameUpload(self.device)
        self._detector: Detector = NoDetector()
        self._embedders: tuple[Embedder | None, Embedder | None] = (None, None)
        self._has_embedders = False

    @property
    def names(self) -> Mapping[int, str]:
        """Class id -> class name of the detector, empty before it is loaded."""
        return self._detector.names

    def take(self, *, detector: bool, embedders: bool) -> Models:
        """The models loaded so far, with those that are asked for among them.

        Raises:
            MotError: a model cannot be loaded.
        """
        with self.lock:
            if detector and isinstance(self._detector, NoDetector):
                self._detector = load_detector(self.config, self.device, self._upload)
            if embedders and not self._has_embedders:
                found = None if isinstance(self._detector, NoDetector) else self._detector
                place = Placement(self.device, self.config.device, self._upload, detector=found)
                self._embedders = create_embedders(self.config, place)
                self._has_embedders = True
            return Models(self._detector, *self._embedders)

    def start(self, config: TrackConfig) -> ModularTracker:
        """A tracker for one clip around all models, as `create_system` makes one.

        Args:
            config: as that of the shelf, but for stages that load nothing.

        Raises:
            MotError: a model cannot be loaded.
        """
        return assemble(config, renew_models(self.take(detector=True, embedders=True), config))
