"""`letterbox` where the frame already is: nothing but the frame itself travels to the device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mot_dinov3.errors import DeviceFullError
from mot_dinov3.perception.detectors.letterbox import GREY, Fit
from mot_dinov3.runtime.upload import FrameUpload
from mot_dinov3.values import Image

if TYPE_CHECKING:
    import torch


class DeviceLetterbox:
    """Fits pictures into a network's input on a device, up to rounding as `letterbox` does.

    Args:
        upload: brings the picture there, and shares it with whoever else looks at it.
    """

    def __init__(self, upload: FrameUpload) -> None:
        self._upload = upload

    def __call__(self, image: Image, how: Fit) -> torch.Tensor:
        """(H, W, 3) uint8 BGR -> (1, 3, h, w) float32 RGB in 0..1, grey without a picture.

        Raises:
            DeviceFullError: the device has no memory left.
        """
        import torch
        from torch.nn.functional import interpolate, pad

        width, height = how.inner
        try:
            with torch.inference_mode():
                planes = self._upload(image).permute(2, 0, 1)[None].flip(1).float()
                if (image.shape[1], image.shape[0]) != how.inner:
                    planes = interpolate(planes, size=(height, width), mode="bilinear")
                around = (how.left, how.right, how.top, how.bottom)
                return pad(planes, around, value=float(GREY)) / 255
        except torch.OutOfMemoryError as error:
            raise DeviceFullError(
                f"{self._upload.device} has no memory left for a frame.",
                fix="Free the device, or run with --device cpu.",
            ) from error
