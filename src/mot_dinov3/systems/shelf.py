"""Models that several trackers share, each loaded when it is first needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from threading import RLock

import numpy as np

from mot_dinov3.config import DetectorConfig, TrackConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.perception.detectors.base import BUILT_IN, Detector, WrappedDetector
from mot_dinov3.perception.detectors.classes import resolve_classes
from mot_dinov3.perception.features.base import Embedder, Placement
from mot_dinov3.runtime.device import choose_device
from mot_dinov3.runtime.upload import FrameUpload
from mot_dinov3.systems.assembly import assemble
from mot_dinov3.systems.making import (
    create_embedders,
    load_detector,
    load_searcher,
    prepare_loading,
    renew_models,
)
from mot_dinov3.systems.models import Models
from mot_dinov3.systems.modular import ModularTracker
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


class ChosenBoxes(WrappedDetector):
    """A shared detector of which one tracker wants a part: fewer classes, or surer boxes.

    Args:
        detector: finds the objects.
        config: the least score and the classes that are wanted.

    Raises:
        UsageError: the detector has no such class.
    """

    def __init__(self, detector: Detector, config: DetectorConfig) -> None:
        super().__init__(detector)
        self._floor = np.float32(config.floor)
        self._wanted = resolve_classes(config.classes, detector.names)

    def detect(self, frame: Frame) -> Detections:
        """The wanted objects of one frame."""
        found = self._detector.detect(frame)
        kept = found.score >= self._floor
        if self._wanted is not None:
            kept &= np.isin(found.class_id, sorted(self._wanted))
        return found[np.asarray(kept, np.bool_)]


def choose_boxes(detector: Detector, own: DetectorConfig, shared: DetectorConfig) -> Detector:
    """A shared detector as one tracker wants it.

    Args:
        detector: loaded with the settings `shared`.
        own: the settings of the tracker.
        shared: those that the detector was loaded with.

    Raises:
        UsageError: the tracker wants boxes that the detector leaves out.
    """
    if (own.floor, own.classes) == (shared.floor, shared.classes):
        return detector
    if own.floor < shared.floor:
        raise UsageError(
            f"The shared detector leaves out boxes below {shared.floor:g}, and this tracker wants "
            f"those from {own.floor:g} on.",
            fix=f"Give low_conf={own.floor:g} to Models.load().",
        )
    if shared.classes.strip() and own.classes != shared.classes:
        raise UsageError(
            f"The shared detector finds classes='{shared.classes}' alone, and this tracker wants "
            f"others.",
            fix="Leave out classes= where models are loaded, and give it to each tracker.",
        )
    return ChosenBoxes(detector, own)


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
        self.device = choose_device(config.device.name)
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
        parts = self.choose(config, detector=True)
        return assemble(config, replace(parts, searcher=load_searcher(config, self.device)))

    def choose(self, config: TrackConfig, *, detector: bool) -> Models:
        """The models for one clip: what remembers frames is new, and boxes are those wanted.

        Args:
            config: of the clip.
            detector: whether boxes are looked for; if not, none are found.

        Raises:
            UsageError: boxes are wanted that the shared detector leaves out.
            MotError: a model cannot be loaded.
        """
        parts = self.take(detector=detector, embedders=True)
        if not detector:  # there may be one of another tracker
            return renew_models(replace(parts, detector=NoDetector()), config)
        parts = renew_models(parts, config)
        own = choose_boxes(parts.detector, config.detector, self.config.detector)
        return replace(parts, detector=own)
