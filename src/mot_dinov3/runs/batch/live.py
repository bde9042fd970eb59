"""Live sources in a batch: they have no end to wait for, so they are tracked at the same time."""

from __future__ import annotations

from collections.abc import Sequence

from mot_dinov3.config import TrackConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.io.read.sources import is_live
from mot_dinov3.runs.batch.sources import ListedSource
from mot_dinov3.wording import counted


def are_cameras(config: TrackConfig, listed: Sequence[ListedSource]) -> bool:
    """Whether several sources are tracked at the same time in this process.

    That is so where all of them are live, and neither `--workers` nor `--ray` says where.

    Raises:
        UsageError: a live source would keep others from ever being begun.
    """
    live = sum(is_live(item.source) for item in listed)
    workers = config.batch.workers
    if len(listed) < 2 or not live or config.batch.ray or workers >= len(listed):
        return False
    if workers:
        raise UsageError(
            f"--workers {workers} is too few for {counted(len(listed), 'source')}: a live one has "
            "no end for the next to wait for.",
            fix=f"Give --workers {len(listed)}, or leave it out for live sources alone.",
        )
    if live == len(listed):
        return True
    raise UsageError(
        f"--source names {counted(live, 'live source')} and {counted(len(listed) - live, 'file')}: "
        "live ones are tracked at the same time, files one after the other.",
        fix=f"Use two commands, or --workers {len(listed)} for a process each.",
    )


def refuse_flags(config: TrackConfig) -> None:
    """Refuse what cannot be with several live sources.

    Raises:
        UsageError: it names the flag.
    """
    if config.live.show:
        raise UsageError(
            "--show has a window for one source, not for several.",
            fix="Give --serve for a page with all of them.",
        )
    if config.resume.resume:
        raise UsageError(
            "--resume cannot go on with live sources: what was missed does not come back.",
            fix="Leave out --resume.",
        )
