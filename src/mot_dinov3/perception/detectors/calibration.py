"""Pictures on which an int8 export learns the ranges of its numbers; none has to be downloaded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np

from mot_dinov3.values import Image

PICTURES = ("bus.jpg", "zidane.jpg")
"""What every installation of Ultralytics brings along: two photographs with people."""
CROPS = 16
"""Crops of each picture: other scales, mirrored, darker or brighter."""


def write_calibration(folder: Path, names: Mapping[int, str]) -> Path:
    """Make a data set of crops in Ultralytics' form; returns its description.

    Args:
        folder: an empty directory.
        names: the classes of the model.

    Raises:
        OSError: Ultralytics' pictures are missing.
    """
    from ultralytics.utils import ASSETS

    images = folder / "images"
    images.mkdir()
    rng = np.random.default_rng(0)
    for name in PICTURES:
        picture = cv2.imread(str(Path(ASSETS) / name))
        if picture is None:
            raise FileNotFoundError(f"Ultralytics' picture {name} is missing")
        for number in range(CROPS):
            cv2.imwrite(str(images / f"{number:02}-{name}"), _crop(picture, rng))
    description = folder / "data.yaml"
    facts = {"path": str(folder), "train": "images", "val": "images", "names": list(names.values())}
    description.write_text(json.dumps(facts), encoding="utf-8")
    return description


def _crop(picture: Image, rng: np.random.Generator) -> Image:
    height, width = picture.shape[:2]
    share = rng.uniform(0.4, 1.0)
    tall, wide = int(height * share), int(width * share)
    top, left = rng.integers(0, height - tall + 1), rng.integers(0, width - wide + 1)
    crop = picture[top : top + tall, left : left + wide]
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
    light: Image = np.clip(crop * rng.uniform(0.5, 1.3), 0, 255).astype(np.uint8)
    return light
