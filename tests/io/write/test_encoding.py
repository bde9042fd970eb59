"""Pictures become planes as the standard says, for both matrices."""

from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.io.write.encoding import convert_to_yuv

BARS = {  # 75 % colour bars in 8 bits; the levels of BT.709 and BT.601 as published for them
    "white": ((191, 191, 191), (180, 128, 128), (180, 128, 128)),
    "yellow": ((0, 191, 191), (168, 44, 136), (162, 44, 142)),
    "cyan": ((191, 191, 0), (145, 147, 44), (131, 156, 44)),
    "green": ((0, 191, 0), (133, 63, 52), (112, 72, 58)),
    "magenta": ((191, 0, 191), (63, 193, 204), (84, 184, 198)),
    "red": ((0, 0, 191), (51, 109, 212), (65, 100, 212)),
    "blue": ((191, 0, 0), (28, 212, 120), (35, 212, 114)),
}


@pytest.mark.parametrize("name", BARS)
@pytest.mark.parametrize("bt709", [True, False])
def test_colour_bars_have_the_published_levels(name, bt709):
    bgr, hd, sd = BARS[name]
    planes = convert_to_yuv(np.full((8, 12, 3), bgr, np.uint8), bt709=bt709)
    assert planes.shape == (12, 12)
    levels = [planes[:8], *planes[8:].reshape(2, 4, 6)]
    for plane, wanted in zip(levels, hd if bt709 else sd, strict=True):
        assert np.abs(plane.astype(int) - wanted).max() <= 1


@pytest.mark.parametrize("bt709", [True, False])
def test_every_pixel_keeps_its_place(bt709):
    image = np.zeros((4, 6, 3), np.uint8)
    image[1, 2], image[2:, 4:, 2] = 255, 255
    planes = convert_to_yuv(image, bt709=bt709)
    light, cb, cr = planes[:4], *planes[4:].reshape(2, 2, 3)
    assert light[1, 2] == 235
    assert light[0].tolist() == [16] * 6
    assert np.unravel_index(cr.argmax(), cr.shape) == (1, 2)
    assert (cb[:, :2] == 128).all()


def test_colours_of_four_pixels_are_averaged():
    rng = np.random.default_rng(5)
    image = rng.integers(0, 256, (64, 96, 3), np.uint8)
    blue, green, red = np.moveaxis(image.astype(float), 2, 0)
    light = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    cb = 128 + (blue - light) / 1.8556 * 224 / 255
    cr = 128 + (red - light) / 1.5748 * 224 / 255
    planes = convert_to_yuv(image, bt709=True).astype(float)
    assert np.abs(planes[:64] - (16 + light * 219 / 255)).max() <= 1
    for plane, exact in zip(planes[64:].reshape(2, 32, 48), (cb, cr), strict=True):
        assert np.abs(plane - exact.reshape(32, 2, 48, 2).mean((1, 3))).max() <= 1.1
