"""Boxes of a picture as image files."""

from __future__ import annotations

import math

import numpy as np

from mot_dinov3.values import FloatArray, Image
from mot_dinov3.values.boxes import clip

JPEG_QUALITY = 95


def cut_box(image: Image, box: FloatArray) -> Image:
    """The pixels that a box touches, a view; empty where it has none in the frame.

    Args:
        image: (H, W, 3) uint8 BGR.
        box: (4,) float32 xyxy; one that is not finite has no pixels.
    """
    if not np.isfinite(box).all():
        return image[:0]
    height, width = image.shape[:2]
    left, top, right, bottom = clip(box, width, height)[0].tolist()
    return image[int(top) : math.ceil(bottom), int(left) : math.ceil(right)]


def encode_jpeg(picture: Image) -> bytes:
    """A (H, W, 3) BGR picture as a JPEG file."""
    import cv2  # here, so that asking the class what it can do loads no codecs

    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return data.tobytes()
