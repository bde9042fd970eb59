"""Draws a MOTChallenge sequence of people in coloured clothes, each in a lane of their own."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from helpers.drawn_crops import HEIGHT, WIDTH, draw_person

LANE = WIDTH + 8
"""Pixels across that a person has for their own."""


def draw_sequence(folder: Path, people: int, frames: int = 20, first: int = 0) -> Path:
    """Write img1, gt/gt.txt and seqinfo.ini; colours change from frame to frame."""
    for name in ("img1", "gt"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    width, height = 8 + LANE * people, HEIGHT + 40
    clothes = [np.random.default_rng([7, first + who]).integers(30, 220, (3, 3))
               for who in range(people)]  # fmt: skip
    lines = []
    for frame in range(frames):
        rng = np.random.default_rng([first, frame])
        image = rng.integers(60, 180, (height, width, 3)).astype(np.uint8)
        for who, bands in enumerate(clothes):
            left, top = 8 + LANE * who, 6 + frame % 20
            person = draw_person(bands, rng.normal(0, 40, 3), rng)
            image[top : top + HEIGHT, left : left + WIDTH] = person
            lines.append(f"{frame + 1},{who + 1},{left},{top},{WIDTH},{HEIGHT},1,1,1")
        cv2.imwrite(str(folder / "img1" / f"{frame + 1:06d}.png"), image)
    (folder / "gt" / "gt.txt").write_text("\n".join(lines) + "\n")
    (folder / "seqinfo.ini").write_text(
        f"[Sequence]\nname={folder.name}\nimDir=img1\nframeRate=10\nseqLength={frames}\n"
        f"imWidth={width}\nimHeight={height}\nimExt=.png\n"
    )
    return folder
