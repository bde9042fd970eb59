"""Which sequences are learned from."""

from __future__ import annotations

from collections.abc import Sequence

from mot_dinov3.data.trajectories.base import Trajectories
from mot_dinov3.data.trajectories.reader import read_trajectories
from mot_dinov3.errors import InputError
from mot_dinov3.wording import counted


def read_all(texts: str) -> list[list[Trajectories]]:
    """The sequences of each value of `--data`, which commas separate.

    Raises:
        MotError: one cannot be read.
    """
    return [read_trajectories(one.strip()) for one in texts.split(",") if one.strip()]


def require_long(sequences: Sequence[Trajectories], frames: int) -> list[Trajectories]:
    """Those that a clip fits in.

    Raises:
        InputError: there are none.
    """
    long = [one for one in sequences if len(one) >= frames]
    if not long:
        most = max(map(len, sequences), default=0)
        raise InputError(
            f"The longest sequence of --data has {counted(most, 'frame')}, and clips of {frames} "
            "are to be cut from it.",
            fix="Give longer sequences, or shorter clips with --frames LEAST..MOST.",
        )
    return long
