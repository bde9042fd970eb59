"""Cuts all crops of a frame on the device that holds it, in a few operations for any number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mot_dinov3.errors import DeviceFullError
from mot_dinov3.perception.backends.problems import lacks_memory
from mot_dinov3.perception.features.crops import CropWindows, InputSpec
from mot_dinov3.perception.features.resampling import kernel
from mot_dinov3.runtime.upload import FrameUpload
from mot_dinov3.values import Image

if TYPE_CHECKING:
    import torch

LINES = 32
"""Windows are padded to a multiple of so many lines: fewer shapes for the device's allocator."""


class DeviceCrops:
    """`crops.cpu_batch` on a device: all windows of a frame at once.

    Every window is gathered into a block as large as the largest, and two batched products with
    its antialiasing weights resize it; lines beyond a window have weight 0.

    Args:
        spec: what the model wants to see.
        upload: brings the frame to the device.
    """

    def __init__(self, spec: InputSpec, upload: FrameUpload) -> None:
        import torch

        self._spec = spec
        self._upload = upload
        pair = (torch.from_numpy(c).view(3, 1, 1) for c in spec.scale_and_shift)
        self._scale, self._shift = (constant.to(upload.device) for constant in pair)

    def __call__(self, image: Image, windows: CropWindows) -> torch.Tensor:
        """The network's input for some windows of a frame.

        Args:
            image: (H, W, 3) uint8 BGR, the whole frame.
            windows: K windows planned for this frame, at least one.

        Returns:
            (K, 3, spec.height, spec.width) float32 RGB on the device.

        Raises:
            DeviceFullError: the device has no memory left.
        """
        import torch

        try:
            with torch.inference_mode():
                return self._batch(self._upload(image), windows)
        except RuntimeError as error:
            if not lacks_memory(error):
                raise
            torch.cuda.empty_cache()
            raise DeviceFullError(f"{self._upload.device} has no memory left for crops.") from error

    def _batch(self, frame: torch.Tensor, windows: CropWindows) -> torch.Tensor:
        import torch

        spec, n = self._spec, len(windows)
        size = (windows.source[:, 2:] - windows.source[:, :2]).max(axis=0)
        across, down = (int(-(-most // LINES) * LINES) for most in size)
        table = torch.from_numpy(np.hstack([windows.source, windows.target])).to(frame.device)
        x, columns, has_x = _axis(table[:, 0::2], (spec.width, across), spec.bicubic)
        y, rows, has_y = _axis(table[:, 1::2], (spec.height, down), spec.bicubic)
        pixels = frame[rows[:, :, None], columns[:, None, :]].float()
        lines = torch.bmm(y, pixels.view(n, down, across * 3)).view(n, spec.height, across, 3)
        planes = lines.permute(0, 3, 1, 2).reshape(n, 3 * spec.height, across)
        bgr = torch.bmm(planes, x.transpose(1, 2)).view(n, 3, spec.height, spec.width)
        if spec.bicubic:
            bgr.clamp_(0, 255)
        seen = has_y[:, None, :, None] & has_x[:, None, None, :]
        return (bgr.flip(1) * self._scale - self._shift) * seen


def _axis(
    lines: torch.Tensor, size: tuple[int, int], cubic: bool
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """How K windows are resized along one axis; see `resampling` for the weights.

    Args:
        lines: (K, 4) int64, first line in the frame and the one after the last, and the same in
            the input picture.
        size: lines of the input picture, and of the largest window or more.
        cubic: the kernel.

    Returns:
        (K, size[0], size[1]) float32 weights, (K, size[1]) int64 lines of the frame, and
        (K, size[0]) bool, which lines of the input picture the window fills.
    """
    import torch

    start, end, first, last = lines.split(1, dim=1)
    n_in, n_out = end - start, last - first
    line = torch.arange(size[1], device=lines.device)
    own = torch.arange(size[0], device=lines.device) - first
    inside = (own >= 0) & (own < n_out)
    scale = n_in / n_out
    centre = (own + 0.5) * scale
    distance = (line + 0.5 - centre[:, :, None]).abs() / scale.clip(1)[:, :, None]
    weights = kernel(distance, cubic) * (line < n_in)[:, None] * inside[:, :, None]
    weights /= weights.sum(dim=2, keepdim=True) + ~inside[:, :, None]
    return weights, torch.minimum(start + line, end - 1), inside
