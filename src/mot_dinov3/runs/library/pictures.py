"""The picture that a frame of the caller's own shows."""

from __future__ import annotations

import numpy as np

from mot_dinov3.errors import UsageError
from mot_dinov3.values import Image

REMEDIES = {
    1: "cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)",
    4: "cv2.cvtColor(image, cv2.COLOR_BGRA2BGR)",
}
"""Number of channels -> what makes three of them."""
NO_PICTURE: Image = np.broadcast_to(np.uint8(0), (1, 1, 3))
"""Stands where boxes come without a picture: its size means that the size is not known."""


def check_image(image: object) -> Image:
    """A picture that can be tracked, as a new view of the same pixels.

    Args:
        image: (H, W, 3) uint8, BGR as OpenCV reads it.

    Raises:
        UsageError: it is something else; the message says how it becomes a picture.
    """
    if not isinstance(image, np.ndarray):
        raise UsageError(
            f"The image is {name_kind(image)}, not a numpy array.", fix=_convert(image)
        )
    channels = image.shape[2] if image.ndim == 3 else 1
    if image.dtype != np.uint8:
        raise UsageError(f"The image is of {image.dtype}, not of uint8.", fix=_rescale(image))
    if image.ndim == 2 or (image.ndim == 3 and channels in REMEDIES):
        kind = "grey" if channels == 1 else "BGRA"
        raise UsageError(
            f"The image is {kind}, shape {image.shape}; it should be (H, W, 3) BGR.",
            fix=f"Convert it: image = {REMEDIES[channels]}",
        )
    if image.ndim != 3 or channels != 3:
        raise UsageError(
            f"The image has shape {image.shape}; it should be (H, W, 3) BGR.",
            fix="Move the channels to the end: image = np.moveaxis(image, 0, -1)"
            if image.ndim == 3 and image.shape[0] == 3
            else "Give one picture at a time.",
        )
    if not image.size:
        raise UsageError(
            f"The image is empty, shape {image.shape}.", fix="Check that the camera gave one."
        )
    # Networks know by the array whether they saw a picture, and callers may fill one anew.
    return np.ascontiguousarray(image).view()


def name_kind(value: object) -> str:
    """What a value is, in a message: "a PIL Image", "a dict", "None"."""
    if value is None:
        return "None"
    module, name = type(value).__module__.partition(".")[0], type(value).__name__
    return f"a {module} {name}" if module != "builtins" else f"a {name}"


def _convert(image: object) -> str:
    if image is None:
        return "Check that the file or the camera gave one."
    if type(image).__module__.startswith("PIL"):
        return "Convert it: image = np.asarray(image.convert('RGB'))[..., ::-1]"
    if hasattr(image, "detach"):
        return "Convert it: image = tensor.cpu().numpy(), as (H, W, 3) uint8 BGR"
    return "Read files with cv2.imread, or track('video.mp4')."


def _rescale(image: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> str:
    if image.dtype.kind == "f":
        bright = np.nanmax(image) if image.size else 0
        pixels = "(image * 255)" if bright <= 1 else "image"
        return f"Convert it: image = {pixels}.clip(0, 255).astype(np.uint8)"
    if image.dtype == np.uint16:
        return "Convert it: image = (image >> 8).astype(np.uint8)"
    return "Convert it: image = image.astype(np.uint8)"
