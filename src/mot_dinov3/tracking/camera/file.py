"""Camera motion from a file: one affine map per frame, measured elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mot_dinov3.errors import InputError, UsageError, cannot_read
from mot_dinov3.io.write.atomic import is_stream
from mot_dinov3.runtime.limits import CAMERA_MOTION
from mot_dinov3.runtime.opening import read_text
from mot_dinov3.tracking.camera.base import STILL, CameraMotion
from mot_dinov3.values import DoubleArray, FloatArray, Frame

COLUMNS = 7
"""Frame number from 0, then the two rows of the map."""
MOST_NUMBER = 1e9
"""Frames and pixels beyond this are damage, not data."""


class FileCamera(CameraMotion):
    """Replays a text file of affine maps, as the GMC files of the MOT benchmarks hold them.

    A row is "frame a b tx c d ty": its map leads from the frame before to this one (from 0). A
    frame without a row stands still. Frames that were left out are passed through.
    """

    argument = "FILE"

    def __init__(self, path: str) -> None:
        """Read the whole file.

        Raises:
            UsageError: no file was named.
            InputError: the file cannot be read or holds something else.
        """
        if not path.strip():
            raise UsageError("--cmc file: names no file.", fix="Write --cmc file:FILE.")
        self._maps = read_affines(Path(path.strip()).expanduser())
        self._at: int | None = None

    def estimate(self, frame: Frame, moving: FloatArray) -> DoubleArray:
        """(2, 3) the maps of all frames since the last one given, one after the other."""
        came_from, self._at = self._at, frame.index
        if came_from is None:
            return STILL
        out = np.eye(3)
        for index in range(came_from + 1, frame.index + 1):
            if index in self._maps:
                out = self._maps[index] @ out
        return out[:2]


def read_affines(path: Path) -> dict[int, DoubleArray]:
    """Frame index from 0 -> (3, 3) map from the frame before.

    Raises:
        InputError: the file cannot be read twice, or a line of it is not a map.
    """
    if is_stream(path):  # read once to be checked, before models are loaded, and once for the run
        raise InputError(f"'{path}' is not a regular file.", fix="Save it to a file first.")
    try:
        lines = read_text(path, CAMERA_MOTION).splitlines()
    except OSError as error:
        raise cannot_read(path, error, "the --cmc file") from error
    except UnicodeDecodeError as error:
        raise InputError(f"'{path}' is not a text file.", fix="Give --cmc a text file.") from error
    out = {}
    for number, line in enumerate(lines, 1):
        words = line.replace(",", " ").split()
        if words:
            index, affine = _parse(words, f"'{path}' line {number}")
            out[index] = affine
    return out


def _parse(words: list[str], where: str) -> tuple[int, DoubleArray]:
    try:
        values = np.array([float(word) for word in words])
    except ValueError:
        values = np.full(1, np.nan)
    bounded = len(values) == COLUMNS and bool((np.abs(values) <= MOST_NUMBER).all())
    if not bounded or values[0] < 0 or values[0] % 1:
        raise InputError(
            f"{where} is not a camera motion.", fix="A line holds: frame a b tx c d ty (7 numbers)."
        )
    affine = np.eye(3)
    affine[:2] = values[1:].reshape(2, 3)
    if not 0.1 < np.linalg.det(affine) < 10:
        raise InputError(
            f"{where} would turn the picture inside out or to a point.", fix="Correct the line."
        )
    return int(values[0]), affine
