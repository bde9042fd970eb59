"""Small clips with known boxes, drawn on the spot, and arguments that track them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mot_dinov3.io.write.writer import VideoWriter, VideoWriterConfig
from mot_dinov3.values import Image

WIDTH, HEIGHT = 192, 144
BOX_WH = (24, 40)
TOPS = (16, 84)
"""Upper edges of the lanes in which the boxes walk."""

LIGHT = ("--device", "cpu", "--embedder", "none")
"""Words of a run that needs neither weights nor torch."""


@dataclass(frozen=True, slots=True)
class SelftestScene:
    """A clip and its detections.

    Attributes:
        video: the clip.
        boxes: its boxes as MOT text, one in each lane of each frame.
        frames: its length.
    """

    video: Path
    boxes: Path
    frames: int

    @property
    def frame_log(self) -> Path:
        """Where a run over it may leave its JSON lines, for those who need some."""
        return self.video.with_name("run.jsonl")

    def words(self, *more: object) -> list[object]:
        """Arguments that track it with the known boxes, without any model."""
        return ["--source", self.video, "--det", f"mot:{self.boxes}", *LIGHT, *more]


def draw_scene(directory: Path, frames: int, fps: float = 25.0) -> SelftestScene:
    """Write a clip of `frames` pictures below `directory`, and its boxes as MOT text."""
    directory.mkdir(parents=True, exist_ok=True)
    scene = SelftestScene(directory / "clip.mp4", directory / "boxes.txt", frames)
    rows = []
    with VideoWriter(VideoWriterConfig(scene.video, fps)) as writer:
        for index in range(frames):
            writer.write(draw_frame(index), index / fps)
            rows += [
                f"{index + 1},-1,{left_edge(index)},{top},{BOX_WH[0]},{BOX_WH[1]},0.9"
                for top in TOPS
            ]
    scene.boxes.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return scene


def left_edge(index: int) -> int:
    """Where the boxes of a frame begin; they walk to and fro."""
    way = (WIDTH - BOX_WH[0] - 8) // 2
    there, step = divmod(index, way)
    return 4 + 2 * (way - step if there % 2 else step)


def draw_frame(index: int) -> Image:
    """Draw a box of its own colour in every row, on a checked ground: (HEIGHT, WIDTH, 3) uint8."""
    rows, columns = np.indices((HEIGHT, WIDTH)) // 12
    ground = 90 + 40 * ((rows + columns) % 2)
    image = np.repeat(ground[..., None], 3, axis=2).astype(np.uint8)
    for lane, top in enumerate(TOPS):
        walker = image[top : top + BOX_WH[1], left_edge(index) : left_edge(index) + BOX_WH[0]]
        walker[:] = (30, 60, 220) if lane else (220, 160, 20)
    return image
