"""The oracle's place in the table; what it does is in `replay/oracle.py`, where the truth is."""

from __future__ import annotations

from typing import NoReturn

from mot_dinov3.config import SchedulerConfig
from mot_dinov3.errors import UsageError


def outside_replay(config: SchedulerConfig, argument: str = "") -> NoReturn:
    """Refuse: nobody knows the truth of a video that is tracked for the first time.

    Raises:
        UsageError: always.
    """
    raise UsageError(
        "The policy oracle sees the ground truth, which only a replay has.",
        fix="python cli.py cache ... and then: python cli.py replay --policies oracle ...",
    )
