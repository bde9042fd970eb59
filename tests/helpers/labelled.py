"""Small data sets of bright squares, and detectors that were trained on them for a step or two."""

from __future__ import annotations

import numpy as np

from mot_dinov3.data.detection.writing import Labelled, write_detection_set
from mot_dinov3.training.engine import train
from mot_dinov3.training.recipes.detector.recipe import DetectorRecipe
from mot_dinov3.training.settings import TrainingRun

SMALL = {
    "backbone": "random:tiny",
    "queries": 10,
    "dim": 64,
    "encoder_layers": 1,
    "decoder_layers": 2,
    "imgsz": 96,
    "bs": 2,
    "accumulate": 1,
    "warm_up": 0,
}
NAMES = {0: "red", 3: "blue"}
COLOURS = {0: (0, 0, 255), 3: (255, 0, 0)}


def draw_squares(count, seed=0, size=(72, 96)):
    """Pictures with one or two squares, whose colour is their class; every fifth is empty."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        image = rng.integers(0, 60, (*size, 3), np.uint8)
        rows = []
        for class_id in rng.permutation([*NAMES])[: 0 if number % 5 == 4 else 1 + number % 2]:
            side = int(rng.integers(20, 34))
            x, y = (int(rng.integers(0, limit - side)) for limit in size[::-1])
            image[y : y + side, x : x + side] = COLOURS[int(class_id)]
            rows.append((x, y, x + side, y + side, class_id))
        table = np.array(rows, np.float32).reshape(-1, 5)
        yield Labelled(image, table[:, :4], table[:, 4].astype(np.int64))


def write_squares(folder, count=6, **drawn):
    """A data set; returns its `data.yaml`."""
    splits = {"train": draw_squares(count, **drawn), "val": draw_squares(4, seed=9)}
    write_detection_set(folder, NAMES, splits)
    return folder / "data.yaml"


def train_detector(folder, data, **changes):
    """Train for a step, or for as many as are given."""
    recipe = DetectorRecipe(data=str(data), **{"steps": 1, **SMALL, **changes})
    return train(recipe, TrainingRun(out=str(folder), device="cpu"))
