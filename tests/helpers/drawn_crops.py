"""Draws crops of people in coloured clothes, seen by two cameras of which one is bluish."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

HEIGHT, WIDTH = 64, 32
TINTS = {1: (0, 0, 0), 2: (50, 10, -40)}
"""What a camera adds to blue, green and red."""


def draw_crops(
    folder: Path,
    people: int,
    shots: int = 4,
    first: int = 0,
    seed: int = 0,
    *,
    tracklets: bool = False,
) -> Path:
    """Write `shots` crops of every person by every camera with Market-1501's names.

    A person is three bands of colour, which their number decides. As tracklets, the crops of each
    camera have an identity of their own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for who in range(first, first + people):
        bands = np.random.default_rng([7, who]).integers(30, 220, (3, 3))
        for camera, tint in TINTS.items():
            for shot in range(shots):
                rng = np.random.default_rng([seed, who, camera, shot])
                image = draw_person(bands, np.array(tint), rng)
                name = 2 * who + camera if tracklets else who
                cv2.imwrite(str(folder / f"{name:04d}_c{camera}s1_{shot:06d}_00.png"), image)
    return folder


def draw_person(bands, tint, rng):
    """(64, 32, 3) uint8 BGR: bands of colour at a place of their own, in noise."""
    image = rng.integers(60, 180, (HEIGHT, WIDTH, 3)).astype(float)
    left, top = rng.integers(2, 8, 2)
    for row, colour in enumerate(bands):
        begin = top + row * 17
        image[begin : begin + 17, left : left + 22] = colour
    image += tint + rng.normal(0, 20) + rng.normal(0, 12, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8)


def draw_market(folder: Path, people: int = 12, others: int = 8) -> Path:
    """A whole data set: people to learn from, and other people to ask for and to find."""
    draw_crops(folder / "bounding_box_train", people)
    draw_crops(folder / "query", others, shots=1, first=people, seed=1)
    draw_crops(folder / "bounding_box_test", others, shots=2, first=people, seed=2)
    return folder
