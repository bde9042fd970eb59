"""A square that moves over a still pattern: a sequence of one object, on disk and in memory."""

from __future__ import annotations

import cv2
import numpy as np

from mot_dinov3.data.single_object.base import SingleObjectSequence

SIDE = 20


def box_at(index, step=(3, 1)):
    """(4,) xyxy of the square in a picture."""
    left, top = 20 + step[0] * index, 30 + step[1] * index
    return np.array([left, top, left + SIDE, top + SIDE], np.float32)


def picture_at(index, step=(3, 1)):
    """(96, 128, 3) BGR picture; the square has a pattern of its own."""
    image = np.random.default_rng(1).integers(0, 60, (96, 128, 3), np.uint8)
    left, top, right, bottom = box_at(index, step).astype(int).tolist()
    image[top:bottom, left:right] = np.random.default_rng(2).integers(90, 255, (SIDE, SIDE, 3))
    return cv2.GaussianBlur(image, (3, 3), 0)


class DrawnPictures:
    """Pictures that are drawn when they are asked for."""

    def __init__(self, count, step):
        self.count, self.step = count, step

    def __len__(self):
        return self.count

    def __getitem__(self, row):
        return picture_at(row, self.step)


def square_sequence(count=8, step=(3, 1)):
    """The sequence in memory."""
    boxes = np.stack([box_at(index, step) for index in range(count)])
    return SingleObjectSequence("square", DrawnPictures(count, step), boxes)


def write_otb(folder, count=8, lines=None):
    """The sequence as OTB lays it out; `lines` in place of its true boxes."""
    (folder / "img").mkdir(parents=True)
    for index in range(count):
        cv2.imwrite(str(folder / "img" / f"{index + 1:04d}.png"), picture_at(index))
    boxes = [box_at(index)[:2].tolist() for index in range(count)]
    lines = lines or [f"{left:g},{top:g},{SIDE},{SIDE}" for left, top in boxes]
    (folder / "groundtruth_rect.txt").write_text("\n".join(lines) + "\n")
    return folder
