"""What every video of a batch is called, and where its own outputs go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mot_dinov3.config import TrackConfig, flag_fields
from mot_dinov3.config.flat import stages
from mot_dinov3.io.read.sources import plain_name
from mot_dinov3.perception.detectors.factory import detector_kind, split_det
from mot_dinov3.runs.jobs.outputs import output_places

NAME = "{name}"
"""Stands for the video's name in an output, in `--det mot:FILE` and in `--cmc file:FILE`."""
CAMERA_FILE = "file:"


def unique_names(sources: Sequence[str]) -> list[str]:
    """A name for each source, after its file; the second `walk` is `walk-2`.

    Two names differ by more than their case, as not every file system tells those apart.
    """
    taken: set[str] = set()
    out = []
    for source in sources:
        name = base = plain_name(source)
        number = 1
        while name.casefold() in taken:
            number += 1
            name = f"{base}-{number}"
        taken.add(name.casefold())
        out.append(name)
    return out


def named(config: TrackConfig, name: str, *, apart: bool) -> TrackConfig:
    """The configuration with outputs of the video's own.

    `{name}` in a path stands for the name of the video. With `apart` a path without it gets a
    directory of that name: `outputs/tracked.mp4` becomes `outputs/walk/tracked.mp4`.

    Args:
        config: all stages.
        name: of the video, good as a file name.
        apart: other videos are tracked with the same settings.
    """
    # A job may keep something beside its video even where it writes none.
    places = {"--output": config.output.output, **output_places(config)}
    values = {flag: own_place(place, name, apart=apart) for flag, place in places.items() if place}
    for flag in own_inputs(config):
        values[flag] = value_of(config, flag).replace(NAME, name)
    return with_values(config, values)


def own_inputs(config: TrackConfig) -> dict[str, str]:
    """Flag -> how its value begins, of every input that belongs to one video."""
    det = config.detector.det
    out = {"--det": f"{split_det(det)[0]}:"} if detector_kind(det).stored else {}
    if config.motion.cmc.startswith(CAMERA_FILE):
        out["--cmc"] = CAMERA_FILE
    return out


def own_place(place: str, name: str, *, apart: bool) -> str:
    """Where a video's own output goes, see `named`."""
    if NAME in place:
        return place.replace(NAME, name)
    path = Path(place)
    return str(path.parent / name / path.name) if apart else place


def value_of(config: TrackConfig, flag: str) -> str:
    """What a flag is set to."""
    stage, field = home_of(flag)
    return str(getattr(getattr(config, stage), field))


def with_values(config: TrackConfig, values: dict[str, str]) -> TrackConfig:
    """The configuration with other values for some flags."""
    changes: dict[str, dict[str, Any]] = {}
    for flag, value in values.items():
        stage, field = home_of(flag)
        changes.setdefault(stage, {})[field] = value
    stages_now = {name: replace(getattr(config, name), **new) for name, new in changes.items()}
    return replace(config, **stages_now)


def home_of(flag: str) -> tuple[str, str]:
    """The stage and the field behind a flag."""
    return next(
        (stage, item.name)
        for stage, kind in stages(TrackConfig).items()
        for item in flag_fields(kind)
        if item.metadata["flag"] == flag
    )
