"""A network as an embedder: crops, batches, memory, unit rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from mot_dinov3.errors import ModelError
from mot_dinov3.perception.backends.base import Network
from mot_dinov3.perception.backends.digest import weights_digest
from mot_dinov3.perception.features.base import find_buckets
from mot_dinov3.perception.features.batches import Batches
from mot_dinov3.perception.features.crops import CropShape, CropWindows, cpu_batch
from mot_dinov3.runtime.notices import log_alert
from mot_dinov3.values import FloatArray, Image
from mot_dinov3.wording import counted

if TYPE_CHECKING:
    import torch

Cut: TypeAlias = "Callable[[Image, CropWindows], FloatArray | torch.Tensor]"
"""Makes the network's (K, 3, h, w) input of K windows of a frame, K at least 1."""

SAME = 1e-6
"""Vectors of length 1 that differ by less say the same."""


@dataclass(frozen=True, slots=True)
class NetworkOrigin:
    """Where a network comes from.

    Attributes:
        name: the model as the user knows it, for titles and messages.
        weights: the file, or the directory of the model.
    """

    name: str
    weights: Path


class NetworkEmbedder:
    """Describes boxes with any network that turns pictures into one vector each.

    Args:
        network: takes (B, 3, h, w) pictures; its first output is (B, D).
        shape: how a box becomes the network's input.
        device: torch device string on which the network runs.
        origin: where the network comes from.
        cut: makes the input; on the CPU unless told otherwise.

    Raises:
        DeviceError: one crop alone does not fit into the device's memory.
        ModelError: the network fails, or its answers cannot tell pictures apart.
    """

    whole_frame = False
    has_own_cost = True
    has_memory = False

    def __init__(
        self,
        network: Network,
        shape: CropShape,
        *,
        device: str,
        origin: NetworkOrigin,
        cut: Cut | None = None,
    ) -> None:
        self.device = device
        self.shape = shape
        self.batches = Batches(origin.name, device)
        self._name, self._weights = origin.name, origin.weights
        self._network = network
        self._cut = cut or (lambda image, windows: cpu_batch(image, windows, shape.spec))
        self._warned = False
        self.dim = self._try_out()

    @property
    def title(self) -> str:
        """The model, its input size, device, backend and precision; and how memory ran out."""
        spec = self.shape.spec
        size = f"{spec.width}" if spec.square else f"{spec.width}x{spec.height}"
        what = f"{self._name} {size} px, {self.device}, {self._network.title}"
        return f"{what}{self.batches.title}"

    @property
    def buckets(self) -> tuple[int, ...]:
        """Sizes that the network fills its batches up to; none where all run as they are."""
        return find_buckets(self._network)

    @cached_property
    def fingerprint(self) -> str:
        """The fingerprint of the weights."""
        return weights_digest(self._weights)

    def embed(self, image: Image, xyxy: FloatArray) -> FloatArray:
        """One vector per box, all boxes in one batch.

        Args:
            image: (H, W, 3) uint8 BGR, the whole frame.
            xyxy: (M, 4) float32 boxes in its pixels; may reach over the border.

        Returns:
            (M, dim) float32, unit rows; NaN where a box shows nothing of the frame or the
            model's answer is not finite.

        Raises:
            DeviceError: one crop alone does not fit into the device's memory.
            ModelError: the network fails.
        """
        windows = self.shape.windows(xyxy, (image.shape[1], image.shape[0]))
        out = np.full((len(xyxy), self.dim), np.nan, np.float32)
        if len(windows):
            vectors = self.batches.run(windows, lambda part: self._describe(image, part))
            self._require_width(vectors)
            out[windows.rows] = unit_rows(vectors)
            self._warn_of_unusable(out[windows.rows])
        return out

    def _describe(self, image: Image, windows: CropWindows) -> FloatArray:
        vectors = self._network(self._cut(image, windows))[0]
        if vectors.ndim < 2 or len(vectors) != len(windows):
            raise ModelError(
                f"'{self._name}' answers {counted(len(windows), 'picture')} with shape "
                f"{vectors.shape}, not with one vector each.",
                fix="Export the model up to its embedding layer.",
            )
        return vectors.reshape(len(vectors), -1)

    def _try_out(self) -> int:
        """Run the network on two pictures, one by one; returns the length of its vectors.

        Raises:
            ModelError: its answers cannot tell pictures apart.
        """
        spec = self.shape.spec
        size = spec.height, spec.width, 3
        noise = np.random.default_rng(0).integers(0, 256, size, np.uint8)
        whole = np.array([[0, 0, spec.width, spec.height]], np.float32)
        windows = self.shape.windows(whole, (spec.width, spec.height))
        answers = [
            self.batches.run(windows, partial(self._describe, image))[0]
            for image in (np.zeros(size, np.uint8), noise)
        ]
        if what := describe_useless(answers):
            raise ModelError(
                f"'{self._name}' cannot tell pictures apart: {what}.",
                fix="Export the model again, try --precision fp32, or choose another one.",
            )
        return len(answers[0])

    def _require_width(self, vectors: FloatArray) -> None:
        if vectors.shape[1] != self.dim:
            raise ModelError(
                f"'{self._name}' answers with {vectors.shape[1]} numbers, with {self.dim} before.",
                fix="Export the model up to its embedding layer.",
            )

    def _warn_of_unusable(self, rows: FloatArray) -> None:
        """Say once, and even to who wants quiet, that the network fails on some pictures."""
        lost = int(np.isnan(rows).any(axis=1).sum())
        if lost and not self._warned:
            self._warned = True
            log_alert(
                "'%s' gave no usable vector for %d of %s: such crops are not embedded.",
                self._name,
                lost,
                counted(len(rows), "crop"),
            )


def describe_useless(answers: Sequence[FloatArray]) -> str:
    """Say why the answers to different pictures are of no use; "" when they are.

    Args:
        answers: (D,) as the network gave it, for each picture.
    """
    if not any(np.isfinite(answer).all() for answer in answers):
        return "none of its vectors is finite"
    if not any(np.any(answer) for answer in answers):
        return "all of its vectors are zero"
    first, *others = unit_rows(np.stack(answers))
    same = all(np.allclose(first, other, rtol=0, atol=SAME) for other in others)
    return "all of its vectors are the same" if same else ""


def unit_rows(vectors: FloatArray) -> FloatArray:
    """(M, D) any rows -> (M, D) float32 rows of length 1; NaN where a row has no direction."""
    wide = np.asarray(vectors, np.float64)
    usable = np.isfinite(wide).all(axis=1, keepdims=True)
    length = np.linalg.norm(np.where(usable, wide, 0.0), axis=1)
    out = np.full(wide.shape, np.nan, np.float32)
    rows = np.flatnonzero(length > 0)
    out[rows] = wide[rows] / length[rows, None]
    return out
