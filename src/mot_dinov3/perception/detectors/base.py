"""What a detector is to the rest of the package, and what its table says of it before it is loaded.

A new detector is one file with a class that fits `Detector` and a `DetectorKind` that loads it, and
one line in `factory.DETECTORS`::

    FACES = DetectorKind(load_faces, argument="FILE")
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from mot_dinov3.config import DetectorConfig, DeviceConfig
from mot_dinov3.runtime.upload import FrameUpload
from mot_dinov3.values import Detections, FloatArray, Frame, Image

if TYPE_CHECKING:
    from mot_dinov3.perception.detectors.letterbox import InputFit

BUILT_IN = "built in"
"""The fingerprint of a detector that has no weights."""


class Detector(Protocol):
    """Finds objects in frames, one frame at a time and in order.

    Attributes:
        names: class id -> class name; the keys of `Detections.class_id`.
    """

    names: Mapping[int, str]

    @property
    def title(self) -> str:
        """What runs, for the summary, such as "yolov8n.pt 640x384 px, OpenVINO bf16, cpu"."""

    @property
    def fingerprint(self) -> str:
        """What tells its weights from others (see `weights_digest`), or `BUILT_IN` without any.

        It also names what else decides the boxes and is not a field of `DetectorConfig`. Runs are
        resumed, and recordings compared, only where fingerprints are equal. It is read once, so
        weights that are replaced while they are used do not change it.

        Raises:
            InputError: the weights cannot be read any more.
        """

    @property
    def repeated(self) -> str:
        """The fingerprint of the stored boxes that it repeats, "" for one that looks at pictures.

        Stored boxes differ from source to source although the detector behind them is the same,
        so they have a fingerprint of their own.
        """

    @property
    def has_memory(self) -> bool:
        """Whether what it says of a frame depends on the frames before."""

    def warm_up(self, width: int, height: int) -> None:
        """Run once on an empty picture of that size, so that the first frame is not slow."""

    def detect(self, frame: Frame) -> Detections:
        """The objects of one frame, with every score at or above `DetectorConfig.floor`."""


class WrappedDetector:
    """A detector around another one, which it is in all that a class does not say itself."""

    def __init__(self, detector: Detector) -> None:
        """Stand in for `detector`."""
        self.names = detector.names
        self.has_memory = detector.has_memory
        self._detector = detector

    @property
    def title(self) -> str:
        """The title of the detector."""
        return self._detector.title

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the detector."""
        return self._detector.fingerprint

    @property
    def repeated(self) -> str:
        """The fingerprint of the stored boxes, as the detector has it."""
        return self._detector.repeated

    def warm_up(self, width: int, height: int) -> None:
        """Warm the detector up."""
        self._detector.warm_up(width, height)

    def detect(self, frame: Frame) -> Detections:
        """The objects of one frame."""
        return self._detector.detect(frame)


@dataclass(frozen=True, slots=True)
class DetectorKind:
    """A row of the table: how a detector is loaded, and what is asked before it is.

    Attributes:
        load: builds the detector, weights loaded and ready, from what follows its name in `--det`,
            the settings of detectors, a torch device string, and backend and precision. Raises
            `MotError` where that is not possible.
        argument: what follows its name in `--det NAME:...`, such as "FILE"; "" for nothing.
        needs_pixels: it looks at pictures, so a source without images is refused.
        stored: it repeats boxes that were stored for one source, so it cannot serve several.
        has_network: it runs a network, for which `--backend` and `--precision` choose.
    """

    load: Callable[[str, DetectorConfig, str, DeviceConfig], Detector]
    argument: str = ""
    needs_pixels: bool = True
    stored: bool = False
    has_network: bool = True


def is_of_one_clip(detector: Detector) -> bool:
    """Whether what it knows belongs to one clip, so that the next one needs another detector."""
    return detector.has_memory or bool(detector.repeated)


@runtime_checkable
class UploadSharing(Protocol):
    """A detector that can look at frames where they are uploaded for the embedder, too."""

    def share(self, upload: FrameUpload) -> None:
        """Look at pictures where `upload` brings them, if the detector runs there."""


@runtime_checkable
class BatchDetector(Protocol):
    """A detector that can look at the frames of several cameras in one pass."""

    @property
    def gains_from_batches(self) -> bool:
        """Whether one pass is faster than one for each frame, where this detector runs."""

    def detect_batch(self, frames: Sequence[Frame]) -> list[Detections]:
        """The objects of each frame, as `detect` finds them up to rounding; sizes may differ."""


@runtime_checkable
class SourceBound(Protocol):
    """A detector that has to know which source the pictures are of."""

    def attend(self, source: str) -> None:
        """Prepare for the pictures of a source, as `--source` names it.

        Raises:
            MotError: it can say nothing of that source.
        """


@runtime_checkable
class StoredBoxes(Protocol):
    """A detector that knows all its boxes beforehand."""

    def rows_after(self, frames: int) -> int:
        """How many boxes a source of so many frames never comes to."""


@runtime_checkable
class ClassScoring(Protocol):
    """A detector that can be measured as such detectors usually are."""

    def count_every_class(self) -> bool:
        """Let a box count for each class above the confidence, suppressed within it alone.

        Returns:
            Whether it can; False where a box counts for its best class all the same.
        """


@dataclass(frozen=True, slots=True)
class Neck:
    """The feature maps that the detection head read, and where the picture lies in them.

    Attributes:
        maps: one (channels, h, w) float32 array per level, the finest first.
        fit: how the picture lies in the network's input.
    """

    maps: tuple[FloatArray, ...]
    fit: InputFit

    def stride(self, level: int) -> float:
        """Input pixels per cell of a level's map."""
        return self.fit.size[0] / len(self.maps[level][0])

    def cells(self, xyxy: FloatArray, level: int) -> FloatArray:
        """(N, 4) boxes in picture pixels -> in cells of a level's map, borders at whole numbers.

        This is the frame of `torchvision.ops.roi_align` with `aligned=True` and scale 1.
        """
        moved = self.fit.from_picture(xyxy)
        return np.asarray(moved / np.float32(self.stride(level)), np.float32)


@runtime_checkable
class NeckFeatures(Protocol):
    """A detector that can also hand out the feature maps behind its boxes.

    Ask once, before the first frame; then look after every `detect`::

        if isinstance(detector, NeckFeatures) and detector.keep_neck():
            found = detector.detect(frame)
            finest, *_ = detector.neck.maps          # (channels, h, w) float32
            boxes = detector.neck.cells(found.xyxy, level=0)   # for RoI pooling
    """

    def keep_neck(self) -> bool:
        """Hand out the neck from now on; False where this network has none to give."""

    @property
    def neck(self) -> Neck | None:
        """Of the picture detected in last; None before, and where the network has none to give."""


@runtime_checkable
class CloserLook(NeckFeatures, Protocol):
    """A detector whose backbone can also look at single crops, where a box is a few cells.

    Attributes:
        probe: (C,) float32, tells its backbone from others.
    """

    probe: FloatArray

    def look_closer(self, image: Image, xyxy: FloatArray) -> tuple[FloatArray, ...]:
        """The maps of crops.

        Args:
            image: (H, W, 3) uint8 BGR.
            xyxy: (N, 4) float32 pixels, each with an area inside the picture.

        Returns:
            (N, channels, h, w) float32 for each level of `neck`.
        """
