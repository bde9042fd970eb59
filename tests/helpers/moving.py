"""Pictures of one object that moves over a background, to be followed."""

from __future__ import annotations

import cv2
import numpy as np

from mot_dinov3.values import Frame

WIDTH, HEIGHT = 200, 140
SIDES = (44, 36)
STEP_PX = 3
FPS = 25.0


def place(index):
    """(4,) the borders of the object in a frame."""
    left, top = 15 + STEP_PX * index, 40 + index
    return np.array([left, top, left + SIDES[0], top + SIDES[1]], np.float32)


def texture(seed, width, height):
    """A pattern with points that optical flow can hold on to."""
    small = np.random.default_rng(seed).integers(0, 255, (height // 4 + 1, width // 4 + 1, 3))
    large = cv2.resize(small.astype(np.uint8), None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    return large[:height, :width]


def picture(index, *, hidden=False):
    """A BGR picture; the object is not in it where it is hidden."""
    image = texture(1, WIDTH, HEIGHT) // 3 + 80
    if not hidden:
        left, top, right, bottom = place(index).astype(int).tolist()
        seen = image[top:bottom, left:right]
        seen[:] = texture(2, *SIDES)[: seen.shape[0], : seen.shape[1]]
    return image


def frame(index, *, hidden=False):
    """A picture as a frame of a source."""
    return Frame(index, index / FPS, picture(index, hidden=hidden))


def write_pictures(folder, count, hidden=()):
    """A folder of pictures, which is a source; returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        cv2.imwrite(str(folder / f"{index:03}.png"), picture(index, hidden=index in hidden))
    return folder


def box_words(index):
    """The object of a frame as the value of `--box`."""
    left, top, right, bottom = place(index).tolist()
    return f"{left:g},{top:g},{right - left:g},{bottom - top:g}"


def overlap(one, other):
    """IoU of two boxes (4,)."""
    inner = np.maximum(np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2]), 0).prod()
    areas = (one[2:] - one[:2]).prod() + (other[2:] - other[:2]).prod()
    return float(inner / (areas - inner))
