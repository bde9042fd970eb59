"""`yolo:DIR`: each large object of labelled pictures is a sequence of one picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mot_dinov3.data.single_object.base import PictureFiles, SingleObjectSequence
from mot_dinov3.errors import InputError, cannot_read
from mot_dinov3.io.read.images import images_of, read_image
from mot_dinov3.runtime.limits import BOXES
from mot_dinov3.runtime.opening import read_text
from mot_dinov3.values import FloatArray, boxes

PICTURES, LABELS = "images", "labels"
LEAST_SIDE_PX = 20
MOST_SHARE = 0.5
"""An object that fills more of its picture has no surroundings to be found in."""


def read_stills(argument: str) -> list[SingleObjectSequence]:
    """Read `images/` and `labels/` of a folder, as YOLO's data sets have them.

    Raises:
        InputError: they are not there, a file of labels is damaged, or no object is large enough.
    """
    folder = Path(argument).expanduser()
    if not (folder / PICTURES).is_dir() or not (folder / LABELS).is_dir():
        raise InputError(
            f"'{folder}' does not hold {PICTURES}/ and {LABELS}/.",
            fix="Give the folder of a data set as YOLO lays it out.",
        )
    files = images_of([*(folder / PICTURES).rglob("*")], str(folder)).files
    found = [one for file in files for one in _read_still(file, folder)]
    if not found:
        raise InputError(
            f"No labelled object of '{folder}' is {LEAST_SIDE_PX} pixels wide and high.",
            fix="Give larger pictures.",
        )
    return found


def _read_still(file: Path, folder: Path) -> list[SingleObjectSequence]:
    """The objects of one picture; none where it has no labels or cannot be read."""
    place = file.relative_to(folder / PICTURES)
    labels = (folder / LABELS / place).with_suffix(".txt")
    image = read_image(file) if labels.is_file() else None
    if image is None:
        return []
    height, width = image.shape[:2]
    xyxy = _read_labels(labels) * np.array([width, height] * 2, np.float32)
    sides = xyxy[:, 2:] - xyxy[:, :2]
    usable = (sides.min(axis=1, initial=np.inf) >= LEAST_SIDE_PX) & (
        sides.prod(axis=1) <= MOST_SHARE * width * height
    )
    pictures = PictureFiles((file,))
    return [
        SingleObjectSequence(f"{file.stem}-{row}", pictures, xyxy[row][None])
        for row in usable.nonzero()[0].tolist()
    ]


def _read_labels(path: Path) -> FloatArray:
    """(N, 4) float32 xyxy as shares of the picture, of lines of class, centre, width, height."""
    try:
        lines = [line.split() for line in read_text(path, BOXES).splitlines() if line.strip()]
        rows = np.array([line[1:5] for line in lines], np.float32).reshape(-1, 4)
    except (OSError, ValueError) as error:
        raise cannot_read(path, error) from error
    return boxes.cxcywh_to_xyxy(rows)
