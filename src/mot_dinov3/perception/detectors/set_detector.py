"""Runs detectors that answer with a set of boxes: DETR and what came after it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mot_dinov3.config import DetectorConfig
from mot_dinov3.errors import ModelError, reason_of
from mot_dinov3.perception.backends.base import Network
from mot_dinov3.perception.backends.digest import weights_digest
from mot_dinov3.perception.detectors.classes import resolve_classes
from mot_dinov3.perception.detectors.decode import MOST_BOXES, clean_detections
from mot_dinov3.perception.detectors.set_input import Placing, SetInput
from mot_dinov3.perception.detectors.yolo import stack
from mot_dinov3.runtime.upload import FrameUpload
from mot_dinov3.values import Detections, FloatArray, Frame, Image, IntArray

if TYPE_CHECKING:
    import torch

logger = logging.getLogger("mot_dinov3")


@dataclass(frozen=True, slots=True)
class SetModel:
    """What is known of a model beside its network.

    Attributes:
        name: as the user knows it.
        weights: its directory.
        names: class id -> class name.
        has_nothing: the last class of its answer means that there is no object, see `Family`.
    """

    name: str
    weights: Path
    names: Mapping[int, str]
    has_nothing: bool


class SetDetector:
    """Detects with a network that answers with class logits and boxes of its queries.

    Each query counts for its best class, as a box has one identity. Such networks are trained to
    answer once for each object, so nothing is suppressed.

    Args:
        config: confidence and classes.
        model: what is known of it.
        seen: makes its input.
        network: (B, 3 or 4, h, w) -> (B, Q, K) logits, (B, Q, 4) cxcywh as shares of the input.

    Raises:
        UsageError: a class is unknown.
    """

    names: Mapping[int, str]
    repeated = ""
    has_memory = False

    def __init__(
        self, config: DetectorConfig, model: SetModel, seen: SetInput, network: Network
    ) -> None:
        self.names = model.names
        self._model, self._seen, self._network = model, seen, network
        self._floor = config.floor
        self._wanted = resolve_classes(config.classes, model.names)
        self._size: tuple[int, int] | None = None
        self._upload: FrameUpload | None = None

    @property
    def title(self) -> str:
        """Model, input size once it is known, backend, precision, device."""
        size = f" {self._size[1]}x{self._size[0]} px" if self._size else ""
        return f"{self._model.name}{size}, {self._network.title}, {self._network.device}"

    @cached_property
    def fingerprint(self) -> str:
        """The fingerprint of the weights and settings."""
        return weights_digest(self._model.weights)

    def share(self, upload: FrameUpload) -> None:
        """Look at pictures where they are uploaded, if that is where the network runs."""
        if self._network.device == upload.device and upload.device != "cpu":
            self._upload = upload

    def warm_up(self, width: int, height: int) -> None:
        """Run once on an empty picture of that size.

        Raises:
            ModelError, DeviceError: the network does not run.
        """
        self.detect(Frame(0, 0.0, np.zeros((height, width, 3), np.uint8)))
        logger.info("detector: %s", self.title)

    def detect(self, frame: Frame) -> Detections:
        """The objects of one frame, best first; boxes without area are dropped.

        Raises:
            ModelError, DeviceError: the network fails, or the device is full.
        """
        return self.detect_batch([frame])[0]

    @property
    def gains_from_batches(self) -> bool:
        """One pass for several frames costs less than one for each."""
        return True

    def detect_batch(self, frames: Sequence[Frame]) -> list[Detections]:
        """The objects of each frame, in one pass for all frames whose inputs have one form.

        Raises:
            ModelError, DeviceError: the network fails, or the device is full.
        """
        places = [self._place(frame.image) for frame in frames]
        out: dict[int, Detections] = {}
        for form in dict.fromkeys((how.size, how.has_border) for how in places):
            rows = [i for i, how in enumerate(places) if (how.size, how.has_border) == form]
            self._size = form[0]
            logits, shares = self._run(
                [self._prepare(frames[row].image, places[row]) for row in rows]
            )
            for at, row in enumerate(rows):
                out[row] = self._read(logits[at], shares[at], places[row])
        return [out[row] for row in range(len(frames))]

    def _place(self, image: Image) -> Placing:
        height, width = image.shape[:2]
        try:
            return self._seen.place(width, height)
        except Exception as error:  # a processor of transformers, with settings of any kind
            raise ModelError(
                f"The image processor of '{self._model.name}' cannot take a picture of "
                f"{width}x{height} px ({reason_of(error)}).",
                fix="Give another --imgsz, or correct its preprocessor_config.json.",
            ) from error

    def _prepare(self, image: Image, how: Placing) -> FloatArray | torch.Tensor:
        if self._upload is None:
            return self._seen.prepare(image, how)
        return self._seen.prepare_on(self._upload, image, how)

    def _run(self, pictures: Sequence[FloatArray | torch.Tensor]) -> tuple[FloatArray, FloatArray]:
        network, name = self._network, self._model.name
        try:
            logits, shares = network(stack(pictures))
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise ModelError(
                f"'{name}' failed with {network.title} ({reason_of(error)}).",
                fix="Leave --imgsz out, or give a multiple of 32.",
            ) from error
        last = logits.shape[2] - self._model.has_nothing
        if last > len(self.names):
            raise ModelError(
                f"'{name}' answers with {last} classes, and its config.json names "
                f"{len(self.names)}.",
                fix="Fetch or save the model again.",
            )
        return logits, shares

    def _read(self, logits: FloatArray, shares: FloatArray, how: Placing) -> Detections:
        score, class_id = score_queries(logits, has_nothing=self._model.has_nothing)
        good = score > self._floor
        if self._wanted is not None:
            good &= np.isin(class_id, sorted(self._wanted))
        rows = np.flatnonzero(good)
        rows = rows[np.argsort(-score[rows], kind="stable")[:MOST_BOXES]]
        return clean_detections(how.to_picture(shares[rows]), score[rows], class_id[rows])


def score_queries(logits: FloatArray, *, has_nothing: bool) -> tuple[FloatArray, IntArray]:
    """The best class of each query and its score.

    Args:
        logits: (Q, K) float32.
        has_nothing: the last class means that there is no object, and scores add up to 1;
            otherwise each class has a score of its own.

    Returns:
        (Q,) float32 scores in [0, 1] and (Q,) int64 class ids.
    """
    if has_nothing:
        share = np.exp(logits - logits.max(axis=1, keepdims=True))
        scores = share[:, :-1] / share.sum(axis=1, keepdims=True)
    else:
        scores = (1 + np.tanh(logits / 2)) / 2
    class_id = scores.argmax(axis=1)
    best = np.take_along_axis(scores, class_id[:, None], axis=1)[:, 0]
    return np.asarray(best, np.float32), np.asarray(class_id, np.int64)
