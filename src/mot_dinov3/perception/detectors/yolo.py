"""Any YOLO that gives upright boxes, run directly by whatever backend is fastest here."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import numpy as np

from mot_dinov3.config import DetectorConfig
from mot_dinov3.errors import ModelError
from mot_dinov3.perception.backends.base import Network
from mot_dinov3.perception.backends.choice import TORCH
from mot_dinov3.perception.backends.digest import weights_digest
from mot_dinov3.perception.detectors.base import Neck
from mot_dinov3.perception.detectors.classes import resolve_classes
from mot_dinov3.perception.detectors.decode import (
    SCORING,
    TRACKING,
    Boxes,
    clean_detections,
    decode_answer,
    decode_candidates,
    decode_final,
    decode_levels,
    select_best,
)
from mot_dinov3.perception.detectors.letterbox import (
    DeviceLetterbox,
    InputFit,
    fit,
    input_size,
    letterbox,
)
from mot_dinov3.perception.detectors.networks import NetworkSource
from mot_dinov3.runtime.upload import FrameUpload
from mot_dinov3.values import Detections, FloatArray, Frame, Image

logger = logging.getLogger("mot_dinov3")

MOST_NETWORKS = 4
"""Networks for so many input sizes stay loaded; a source rarely shows more than one."""
MAPS = 4
"""Dimensions of the first answer of a network that leaves decoding to us."""


class YoloDetector:
    """Detects with a YOLO network whose input has the shape of the picture.

    The picture's size is known only when the first one comes, so the network for it is loaded,
    or exported, at `warm_up` or at the first picture of another size.

    Args:
        config: confidence, input size and classes.
        source: gives the network for a size.

    Raises:
        UsageError: a class is unknown.
    """

    names: Mapping[int, str]
    repeated = ""
    has_memory = False

    def __init__(self, config: DetectorConfig, source: NetworkSource) -> None:
        self.names = source.about.names
        self._source = source
        self._about = source.about
        self._floor, self._longest = config.floor, config.imgsz
        self._wanted = resolve_classes(config.classes, self.names)
        self._networks: dict[tuple[int, int], Network] = {}
        self._size = source.get_fixed_size()
        self._letterbox: Callable[[Image, InputFit], FloatArray] = letterbox
        self._keeps_neck = False
        self._rule, self._repeats = TRACKING, source.about.repeats
        self.neck: Neck | None = None

    @property
    def title(self) -> str:
        """Model, input size as far as it is known, backend, precision, device."""
        size = f"{self._size[1]}x{self._size[0]}" if self._size else f"{self._longest}"
        source = self._source
        return f"{source.name} {size} px, {source.choice.title}, {source.device}"

    @cached_property
    def fingerprint(self) -> str:
        """The fingerprint of the weights or of the export."""
        return weights_digest(self._source.path)

    def keep_neck(self) -> bool:
        """Hand out the neck from now on, see `base.NeckFeatures`; networks are loaded again."""
        if not self._keeps_neck and self._source.keep_neck():
            self._keeps_neck = True
            self._networks.clear()
        return self._keeps_neck

    def count_every_class(self) -> bool:
        """Let a box count for every class from now on; see `base.ClassScoring`."""
        self._repeats = False
        self._rule = TRACKING if self._source.selects or self._about.final else SCORING
        return self._rule is SCORING

    def share(self, upload: FrameUpload) -> None:
        """Look at pictures where they are uploaded, if that is where torch runs the network."""
        source = self._source
        if source.choice.backend == TORCH and source.device == upload.device:
            self._letterbox = DeviceLetterbox(upload)

    def warm_up(self, width: int, height: int) -> None:
        """Load the network for pictures of that size, and run it once.

        Raises:
            ModelError, DeviceError: it cannot be exported, or does not run.
        """
        self._find(np.zeros((height, width, 3), np.uint8))

    def detect(self, frame: Frame) -> Detections:
        """The objects of one frame; boxes that are not finite or have no area are dropped.

        Raises:
            ModelError, DeviceError: the network fails, or the device is full.
        """
        return self._find(frame.image)

    @property
    def gains_from_batches(self) -> bool:
        """Whether torch runs the network; OpenVINO on a CPU takes as long for each picture."""
        any_size = self._source.get_fixed_size() is None
        return self._source.choice.backend == TORCH and any_size and not self._keeps_neck

    def detect_batch(self, frames: Sequence[Frame]) -> list[Detections]:
        """The objects of each frame, in one pass for all frames of a size.

        Raises:
            ModelError, DeviceError: the network fails, or the device is full.
        """
        fits = [self._fit(frame.image) for frame in frames]
        out: dict[int, Detections] = {}
        for size in dict.fromkeys(how.size for how in fits):
            rows = [row for row, how in enumerate(fits) if how.size == size]
            pixels = stack([self._letterbox(frames[row].image, fits[row]) for row in rows])
            answers = self._network(size)(pixels)
            for at, row in enumerate(rows):
                out[row] = self._read(self._take_picture(answers, at), fits[row])
        return [out[row] for row in range(len(frames))]

    def _fit(self, image: Image) -> InputFit:
        source = image.shape[1], image.shape[0]
        size = self._source.get_fixed_size() or input_size(
            source, self._longest, self._about.stride
        )
        return fit(source, size)

    def _find(self, image: Image) -> Detections:
        how = self._fit(image)
        return self._read(self._network(how.size)(self._letterbox(image, how)), how)

    def _read(self, answers: Sequence[FloatArray], how: InputFit) -> Detections:
        if self._source.selects:
            found = self._of_candidates(answers, how)
        elif answers[0].ndim == MAPS:
            found = self._of_maps(answers, how)
        else:
            found = self._of_answer(answers[0])
            if self._keeps_neck:
                self._hand_out(answers[1:], how)
        return clean_detections(how.to_picture(found.xyxy), found.score, found.class_id)

    def _take_picture(self, answers: Sequence[FloatArray], at: int) -> list[FloatArray]:
        """What the answers to a batch say of its picture number `at`."""
        first, *others = (answer[at : at + 1] for answer in answers)
        if self._source.selects:
            first = answers[0][answers[0][:, 0] == at]
        return [first, *others]

    def _of_maps(self, maps: Sequence[FloatArray], how: InputFit) -> Boxes:
        """Boxes of a network that hands out its head's raw maps, and its neck's behind them."""
        count = len(maps)
        if self._keeps_neck:
            count = count * 2 // 3
            self._hand_out(maps[count:], how)
        found = decode_levels(maps[:count], how.size[0], self._floor, self._rule)
        return select_best(found, self._wanted, self._rule)

    def _of_candidates(self, answers: Sequence[FloatArray], how: InputFit) -> Boxes:
        """Boxes of a network that selects candidates itself, with its neck's maps behind them."""
        if self._keeps_neck:
            self._hand_out(answers[1:], how)
        return select_best(decode_candidates(answers[0]), self._wanted)

    def _hand_out(self, maps: Sequence[FloatArray], how: InputFit) -> None:
        self.neck = Neck(tuple(level[0] for level in maps), how)

    def _of_answer(self, answer: FloatArray) -> Boxes:
        if answer.ndim != 3 or len(answer) != 1:
            raise ModelError(
                f"'{self._source.name}' answers one picture with shape {answer.shape}.",
                fix="Use a model that Ultralytics exported for detection, with batch=1.",
            )
        if self._about.final or answer.shape[2] == 6:
            found = decode_final(answer[0], self._floor, self._wanted)
            return select_best(found, None) if self._repeats else found
        found = decode_answer(answer[0], len(self.names), self._floor, self._rule)
        return select_best(found, self._wanted, self._rule)

    def _network(self, size: tuple[int, int]) -> Network:
        """The network for an input size; the oldest one goes when there are too many."""
        if size not in self._networks:
            if len(self._networks) >= MOST_NETWORKS:
                del self._networks[next(iter(self._networks))]
            self._networks[size] = self._source.network(size)
            self._size = size
            logger.info("detector: %s", self.title)
        return self._networks[size]


def stack(pictures: Sequence[FloatArray]) -> FloatArray:
    """One batch of inputs (1, 3, h, w), which are arrays or tensors on a device."""
    if isinstance(pictures[0], np.ndarray):
        return np.concatenate(pictures)
    import torch

    return torch.cat(list(pictures))
