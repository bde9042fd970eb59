"""The truth of a drawn world with the errors of a real detector, `--det drawn:NAME[:SEED]`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from mot_dinov3.config import DetectorConfig, DeviceConfig
from mot_dinov3.data.synthetic.noise.background import Picture
from mot_dinov3.data.synthetic.noise.base import DetectorNoise
from mot_dinov3.data.synthetic.noise.drawing import DrawnBoxes, draw_boxes
from mot_dinov3.data.synthetic.noise.factory import NOISES, load_noise
from mot_dinov3.data.synthetic.reader import PREFIX, is_synthetic, open_world
from mot_dinov3.data.synthetic.truth import CLASS_NAMES, as_table
from mot_dinov3.data.synthetic.world import World
from mot_dinov3.errors import UnknownNameError, UsageError
from mot_dinov3.perception.detectors.base import DetectorKind
from mot_dinov3.perception.detectors.classes import resolve_classes
from mot_dinov3.values import Detections, Frame


class DrawnDetector:
    """Hands out boxes that are drawn from what is known of a detector's errors.

    The pictures are not looked at, so any embedder sees real crops of wrong boxes. It has to be
    told which world the pictures are of, see `attend`.
    """

    names: Mapping[int, str] = CLASS_NAMES
    has_memory = False

    def __init__(self, name: str, seed: int, config: DetectorConfig) -> None:
        """Take the errors of a detector.

        Raises:
            UnknownNameError: nothing is known of it.
            UsageError: a class is unknown.
        """
        self._noise = load_noise(name)
        self._seed, self._floor = seed, config.floor
        self._wanted = resolve_classes(config.classes, self.names)
        self._boxes: DrawnBoxes | None = None
        self.title = f"boxes drawn like those of {name}"
        self.fingerprint = f"drawn {digest_noise(self._noise)} {seed}"
        self.repeated = ""

    def attend(self, source: str) -> None:
        """Draw the boxes of the world that a source names.

        Raises:
            UsageError: the source is not a drawn world.
        """
        if not is_synthetic(source):
            raise UsageError(
                f"--det drawn needs the truth of a drawn world, which '{source}' is not.",
                fix=f"Give --source {PREFIX}NAME, or another detector.",
            )
        self._boxes = draw_world_boxes(open_world(source), self._noise, self._seed)
        self.repeated = f"drawn of {source}"

    def warm_up(self, width: int, height: int) -> None:
        """Nothing to do: all is drawn beforehand."""

    def detect(self, frame: Frame) -> Detections:
        """The boxes that were drawn for one frame."""
        if self._boxes is None:
            raise ValueError("A drawn detector has to attend a source first")
        own = self._boxes[self._boxes.frame_index == frame.index]
        keep = own.score >= self._floor
        if self._wanted is not None:
            keep &= np.isin(own.class_id, sorted(self._wanted))
        own = own[keep]
        return Detections(own.xyxy, own.score, own.class_id)


def draw_world_boxes(world: World, noise: DetectorNoise, seed: int) -> DrawnBoxes:
    """Draw the detections of all frames of a world; classes are those of `CLASS_NAMES`."""
    known = [world.frame(index)[1] for index in range(len(world))]
    truth = as_table(known)
    classes = [frame.class_id for frame in known]
    truth = replace(truth, class_id=np.concatenate(classes) if classes else truth.class_id)
    clip = world.config
    picture = Picture(clip.width, clip.height, clip.fps, clip.frames)
    return draw_boxes(truth, picture, noise, seed)


def digest_noise(noise: DetectorNoise) -> str:
    """A fingerprint of all figures."""
    return hashlib.sha256(repr(noise).encode()).hexdigest()[:16]


def load_drawn(
    argument: str, config: DetectorConfig, device: str, settings: DeviceConfig
) -> DrawnDetector:
    """The detector of `--det drawn:NAME[:SEED]`; nothing is computed, so no device matters.

    Raises:
        UnknownNameError: nothing is known of the errors of such a detector.
        UsageError: the seed is not a number, or a class is unknown.
    """
    name, _, seed = argument.partition(":")
    if name not in NOISES:
        raise UnknownNameError("detector for --det drawn", name, NOISES)
    if seed and not (seed.isascii() and seed.isdigit()):
        raise UsageError(
            f"'{seed}' in --det drawn:{argument} is not a seed.",
            fix=f"Give a whole number, or none: --det drawn:{name}:7",
        )
    return DrawnDetector(name, int(seed or 0), config)


DRAWN = DetectorKind(load_drawn, argument="NAME", needs_pixels=False, has_network=False)
