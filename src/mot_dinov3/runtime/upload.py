"""The frame on the device: sent once a step, however many networks look at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mot_dinov3.values import Image

if TYPE_CHECKING:
    import torch


class FrameUpload:
    """Sends each picture to a device once; detector and embedder on that device share it.

    On CUDA the picture goes through pinned memory and the copy is only queued: this thread goes
    on while it travels, and whatever the device does with it afterwards waits for it. Two pinned
    buffers take turns, so that none is written while it may still be read.

    Args:
        device: torch device string.

    Attributes:
        sent: how many pictures were sent.
    """

    def __init__(self, device: str) -> None:
        self.device = device
        self.sent = 0
        self._image: Image | None = None
        self._frame: torch.Tensor | None = None
        self._pinned: list[_Pinned] = []

    def __call__(self, image: Image) -> torch.Tensor:
        """The picture as (H, W, 3) uint8 on the device; the same array is sent only once.

        Args:
            image: (H, W, 3) uint8 BGR, not changed afterwards.

        Raises:
            torch.OutOfMemoryError: it does not fit into the device's memory.
        """
        if self._frame is None or image is not self._image:
            self._frame = None  # its memory may be needed
            self._frame = self._send(image)
            self._image = image
            self.sent += 1
        return self._frame

    def _send(self, image: Image) -> torch.Tensor:
        import torch

        if not self.device.startswith("cuda"):
            return torch.from_numpy(image.copy()).to(self.device)
        if not self._pinned or self._pinned[0].shape != image.shape:
            self._pinned = [_Pinned(image.shape), _Pinned(image.shape)]
        self._pinned.reverse()
        return self._pinned[0].send(image, self.device)


class _Pinned:
    """A buffer that the device reads by itself, and the moment when it has read it."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        import torch

        self.shape = shape
        self._buffer = torch.empty(shape, dtype=torch.uint8, pin_memory=True)
        self._read = torch.cuda.Event()

    def send(self, image: Image, device: str) -> torch.Tensor:
        """Queue the copy of a picture; an earlier one from this buffer is waited for."""
        import torch

        self._read.synchronize()
        np.copyto(self._buffer.numpy(), image)
        with torch.cuda.device(device):
            frame = self._buffer.to(device, non_blocking=True)
            self._read.record()
        return frame
