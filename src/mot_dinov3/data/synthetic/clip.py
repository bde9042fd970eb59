"""A clip of the drawn street on disk, with its ground truth: what demo and benchmarks track."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mot_dinov3.io.formats.mot import MotTable

DEMO_SEED = 20_011
"""A street that the demo models were not trained on."""


@dataclass(frozen=True, slots=True)
class StreetClip:
    """A rendered street: its video, its ground truth, and how long it is."""

    video: Path
    truth: MotTable
    frames: int


def draw_clip(directory: Path, frames: int, seed: int) -> StreetClip:
    """Draw the street and write `street.mp4` and `gt.txt` into `directory`."""
    from mot_dinov3.data.synthetic.street import StreetConfig, StreetWorld
    from mot_dinov3.data.synthetic.truth import as_table
    from mot_dinov3.io.formats.mot import read_mot, write_ground_truth
    from mot_dinov3.io.write.writer import VideoWriter, VideoWriterConfig

    config = StreetConfig(seed=seed, frames=frames)
    video, truth = directory / "street.mp4", []
    with VideoWriter(VideoWriterConfig(video, config.fps)) as writer:
        for frame, known in StreetWorld(config):
            writer.write(frame.image, frame.time_s)
            truth.append(known)
    write_ground_truth(directory / "gt.txt", as_table(truth))
    return StreetClip(video, read_mot(directory / "gt.txt"), frames)
