"""A torch vision model as an embedder: batches, precision, memory, unit rows."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from mot_dinov3.config import EmbedderConfig
from mot_dinov3.device import amp_dtype
from mot_dinov3.errors import DeviceError
from mot_dinov3.features.crops import CropWindows, InputSpec, crop_batch, crop_windows
from mot_dinov3.structures import FloatArray, Image

if TYPE_CHECKING:
    import torch


class BackboneEmbedder:
    """Describes boxes with any torch model that turns pictures into one vector each.

    Args:
        model: a torch module that takes `pixel_values` (B, 3, h, w) float32.
        pool: the model's output -> (B, D) tensor.
        spec: what the model wants to see.
        config: crop shape and precision.
        device: torch device string.
        name: the model as the user knows it, for `title` and messages.
    """

    def __init__(
        self,
        model: Any,  # noqa: ANN401 - any torch module
        pool: Callable[[Any], torch.Tensor],
        *,
        spec: InputSpec,
        config: EmbedderConfig,
        device: str,
        name: str,
    ) -> None:
        self.device = device
        self.spec = spec
        self.pad = config.crop_pad
        self.square = config.crop_square and spec.square
        self._name = name
        self._pool = pool
        self._dtype = amp_dtype(config.embed_amp, device)
        self._most = 0
        self._model = self._place(model)
        self.dim = int(self._vectors(self._nothing()).shape[1])

    @property
    def title(self) -> str:
        """The model, its input size, device and precision."""
        spec = self.spec
        size = f"{spec.width}" if spec.square else f"{spec.width}x{spec.height}"
        precision = "" if self._dtype is None else f", {str(self._dtype).removeprefix('torch.')}"
        return f"{self._name} {size} px, {self.device}{precision}"

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
        """
        frame_wh = (image.shape[1], image.shape[0])
        windows = crop_windows(xyxy, frame_wh, self.spec, self.pad, self.square)
        out = np.full((len(xyxy), self.dim), np.nan, np.float32)
        if len(windows):
            out[windows.rows] = unit_rows(self._embed_windows(image, windows))
        return out

    def _embed_windows(self, image: Image, windows: CropWindows) -> FloatArray:
        import torch

        try:
            pixels = crop_batch(image, windows, self.spec, self.device)
        except torch.OutOfMemoryError as error:
            raise self._too_big() from error
        return self._vectors(pixels)

    def _vectors(self, pixels: torch.Tensor) -> FloatArray:
        """(B, 3, h, w) -> (B, D), in smaller batches when the device's memory runs out."""
        import torch

        most = self._most or len(pixels)
        parts = []
        start = 0
        while start < len(pixels):
            part = pixels[start : start + most]
            try:
                parts.append(self._forward(part))
                start += len(part)
            except torch.OutOfMemoryError as error:
                if len(part) == 1:
                    raise self._too_big() from error
                self._most = most = len(part) // 2
                torch.cuda.empty_cache()
        return np.concatenate(parts)

    def _forward(self, pixels: torch.Tensor) -> FloatArray:
        import torch

        with torch.inference_mode(), self._autocast():
            vectors = self._pool(self._model(pixel_values=pixels))
        out: FloatArray = vectors.float().cpu().numpy()
        return out

    def _autocast(self) -> AbstractContextManager[Any]:
        import torch

        if self._dtype is None:
            return nullcontext()
        context: AbstractContextManager[Any] = torch.autocast(
            self.device.partition(":")[0], dtype=self._dtype
        )
        return context

    def _nothing(self) -> torch.Tensor:
        import torch

        return torch.zeros(1, 3, self.spec.height, self.spec.width, device=self.device)

    def _place(self, model: Any) -> Any:  # noqa: ANN401 - any torch module
        import torch

        try:
            return model.eval().requires_grad_(False).to(self.device)
        except torch.OutOfMemoryError as error:
            raise self._too_big() from error

    def _too_big(self) -> DeviceError:
        return DeviceError(
            f"Not even one crop of '{self._name}' fits into the memory of {self.device}.",
            fix="Use a smaller --embed-model, free the device, or run with --device cpu.",
        )


def unit_rows(vectors: FloatArray) -> FloatArray:
    """(M, D) any rows -> (M, D) float32 rows of length 1; NaN where a row has no direction."""
    wide = np.asarray(vectors, np.float64)
    usable = np.isfinite(wide).all(axis=1, keepdims=True)
    length = np.linalg.norm(np.where(usable, wide, 0.0), axis=1)
    out = np.full(wide.shape, np.nan, np.float32)
    rows = np.flatnonzero(length > 0)
    out[rows] = wide[rows] / length[rows, None]
    return out
