"""BGR pictures to the planes that encoders take: YUV 4:2:0 in limited range."""

from __future__ import annotations

import cv2
import numpy as np

from mot_dinov3.values import Image

RED, BLUE = 0.2126, 0.0722
"""Share of red and of blue in the brightness (ITU-R BT.709)."""

GREEN = 1 - RED - BLUE
LIGHTEST, CHROMA, NEUTRAL, DARKEST = 219, 112, 128, 16
"""Limited range: how far brightness and half of a colour reach, the middle of a colour, black."""

TO_BT709 = np.array(
    [
        [LIGHTEST * BLUE, LIGHTEST * GREEN, LIGHTEST * RED, 255 * DARKEST],
        [CHROMA, -CHROMA * GREEN / (1 - BLUE), -CHROMA * RED / (1 - BLUE), 255 * NEUTRAL],
        [-CHROMA * BLUE / (1 - RED), -CHROMA * GREEN / (1 - RED), CHROMA, 255 * NEUTRAL],
    ],
    np.float32,
) / np.float32(255)
"""Rows Y, Cb, Cr over blue, green, red and 1."""


def yuv_planes(image: Image, *, bt709: bool) -> Image:
    """(H * 3 / 2, W) uint8: brightness, then a quarter each of Cb and Cr, one below the other.

    Args:
        image: (H, W, 3) uint8 BGR, of even height and width.
        bt709: by the matrix of ITU-R BT.709, else by that of BT.601.
    """
    if not bt709:
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420), np.uint8)
    height, width = image.shape[:2]
    whole = cv2.transform(image, TO_BT709)
    small = cv2.resize(whole, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    out = np.empty((height * 3 // 2, width), np.uint8)
    cv2.extractChannel(whole, 0, out[:height])
    for channel, plane in enumerate(out[height:].reshape(2, height // 2, width // 2), 1):
        cv2.extractChannel(small, channel, plane)
    return out
