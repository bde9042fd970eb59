"""Replays detections from MOT text, so that a tracker can be judged apart from a detector."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import numpy as np

from mot_dinov3.config import DetectorConfig, DeviceConfig
from mot_dinov3.io.formats.mot import MotTable, read_mot
from mot_dinov3.io.formats.mot_classes import MOT_CLASSES, name_number
from mot_dinov3.perception.backends.digest import weights_digest
from mot_dinov3.perception.detectors.base import BUILT_IN, DetectorKind
from mot_dinov3.perception.detectors.classes import resolve_classes
from mot_dinov3.values import Detections, FloatArray, Frame

logger = logging.getLogger("mot_dinov3")

LARGEST = 1.001
"""A confidence may be so large: 1, and what rounding adds to it."""
UNNAMED = 0
PEDESTRIAN = 1


class MotFileDetector:
    """Hands out the boxes that a MOT file holds for each frame, matched by `Frame.index`.

    Rows without a class count as class 0 "person". Boxes without area are left out. See
    `confidence` for the scores.
    """

    names: Mapping[int, str]
    title: str
    fingerprint = BUILT_IN
    has_memory = False

    def __init__(self, path: Path, config: DetectorConfig) -> None:
        """Read the whole file at once.

        Raises:
            InputError: the file is missing or holds a bad line; the message names it.
            UsageError: a class is unknown.
        """
        self._path = path
        self._table = read_mot(path)
        self._class_id = np.maximum(self._table.class_id, UNNAMED)
        self._score = confidence(self._table.score)
        warn_of_large_scores(path, self._table.score)
        self.names = class_names(self._table)
        self.title = f"replay of {path.name}"
        self._keep = self._score >= config.floor
        self._keep &= (self._table.xyxy[:, 2:] > self._table.xyxy[:, :2]).all(axis=1)
        # Class 1 is a person too, whatever the format calls it.
        wanted = resolve_classes(config.classes, {UNNAMED: "person", **self.names})
        if wanted is not None:
            wanted |= {PEDESTRIAN} if UNNAMED in wanted else set()
            self._keep &= np.isin(self._class_id, sorted(wanted))

    @cached_property
    def repeated(self) -> str:
        """The fingerprint of the file.

        Raises:
            InputError: it cannot be read any more.
        """
        return weights_digest(self._path)

    def rows_after(self, frames: int) -> int:
        """How many boxes a source of so many frames never comes to."""
        return int((self._table.frame_index >= frames).sum())

    def warm_up(self, width: int, height: int) -> None:
        """Nothing to do: all is in memory."""

    def detect(self, frame: Frame) -> Detections:
        """The file's boxes of one frame; none where the file has no row."""
        rows = self._table.rows_of(frame.index)
        keep = self._keep[rows]
        return Detections(
            self._table.xyxy[rows][keep], self._score[rows][keep], self._class_id[rows][keep]
        )


def confidence(score: FloatArray) -> FloatArray:
    """(N,) scores of a file as confidences in [0, 1].

    A file with one and the same score of 0 or less everywhere (usually -1) states none: all
    its boxes count as certain. Else a score is taken as it stands, cut to [0, 1]: detectors
    whose scores are open margins call everything above 1 certain and below 0 wrong.
    """
    if len(score) and score.max() <= 0 and score.min() == score.max():
        return np.ones_like(score)
    return score.clip(0, 1)


def warn_of_large_scores(path: Path, score: FloatArray) -> None:
    """Say that scores of a file are not confidences in [0, 1], as percentages are not."""
    large = score > LARGEST
    if not large.any():
        return
    logger.warning(
        "Scores in '%s' go up to %g, but a confidence is between 0 and 1: %.0f %% of its boxes "
        "count as certain. If they are percentages, divide them by 100.",
        *(path, score.max(), 100 * large.mean()),
    )


def class_names(table: MotTable) -> dict[int, str]:
    """Class id -> name for the classes that the file contains."""
    present = np.unique(np.maximum(table.class_id, UNNAMED)).tolist()
    names = {UNNAMED: "person", **MOT_CLASSES}
    return {number: names.get(number, name_number(number)) for number in present or [UNNAMED]}


def load_mot_file(
    argument: str, config: DetectorConfig, device: str, settings: DeviceConfig
) -> MotFileDetector:
    """Read the MOT file that `argument` names; nothing is computed, so no device matters.

    Raises:
        InputError: the file is missing or holds a bad line; the message names it.
        UsageError: a class is unknown.
    """
    return MotFileDetector(Path(argument).expanduser(), config)


MOT_FILE = DetectorKind(
    load_mot_file, argument="FILE", needs_pixels=False, stored=True, has_network=False
)
