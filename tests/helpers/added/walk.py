"""A scene for members that are added by one file and one line: two coloured areas walk past."""

from __future__ import annotations

import cv2
import numpy as np

FRAMES = 24


def make_walk(directory, frames=FRAMES):
    """Pictures of two areas that cross, and the files of weights of both models beside them."""
    (directory / "walk").mkdir(parents=True)
    for index in range(frames):
        image = np.zeros((120, 160, 3), np.uint8)
        for x, y, colour in (
            (10 + 4 * index, 20, (250, 60, 60)),
            (120 - 4 * index, 75, (60, 60, 250)),
        ):
            image[y : y + 30, max(x, 0) : max(x + 20, 0)] = colour
        cv2.imwrite(str(directory / "walk" / f"{index:06}.png"), image)
    (directory / "areas.txt").write_text("100")
    (directory / "colours.txt").write_text("2")
    return directory


def words(directory, *more):
    """Arguments that track the walk in `directory` with both models."""
    return [
        "--source", str(directory / "walk"), "--det", f"areas:{directory / 'areas.txt'}",
        "--embedder", "colours", "--embed-model", str(directory / "colours.txt"), "--cpu", *more,
    ]  # fmt: skip
