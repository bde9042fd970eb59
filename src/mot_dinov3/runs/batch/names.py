"""The name of every video of a batch, and where its own outputs go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mot_dinov3.config import TrackConfig, flag_fields
from mot_dinov3.config.flat import stages
from mot_dinov3.io.containers import is_url, split_address
from mot_dinov3.io.read.sources import plain_name
from mot_dinov3.systems.factory import system_class

NAME = "{name}"
"""Stands for the video's name in an output, in `--det mot:FILE` and in `--cmc file:FILE`."""


def unique_names(sources: Sequence[str]) -> list[str]:
    """A name for each source, after its file; the second `walk` is `walk-2`.

    Streams that would share a name have that of their host before it: `door-1` and `yard-1`. Two
    names differ by more than their case, as not every file system tells those apart.
    """
    bases = [plain_name(source) for source in sources]
    shared = Counter(base.casefold() for base in bases)
    taken: set[str] = set()
    out = []
    for source, base in zip(sources, bases, strict=True):
        host = split_address(source).hostname if is_url(source) else None
        if shared[base.casefold()] > 1 and host:
            base = plain_name(f"{host}-{base}")
        name = base
        number = 1
        while name.casefold() in taken:
            number += 1
            name = f"{base}-{number}"
        taken.add(name.casefold())
        out.append(name)
    return out


def with_own_outputs(config: TrackConfig, name: str, *, apart: bool) -> TrackConfig:
    """The configuration of one video, with outputs of its own.

    `{name}` in a path stands for the name of the video. With `apart` a path without it gets a
    directory of that name: `outputs/tracked.mp4` becomes `outputs/walk/tracked.mp4`.

    Args:
        config: all stages.
        name: of the video, usable as a file name.
        apart: other videos are tracked with the same settings.
    """
    output = config.output.relocate(lambda place: place_output(place, name, apart=apart))
    inputs = system_class(config).find_clip_inputs(config)
    values = {flag: value_of(config, flag).replace(NAME, name) for flag in inputs}
    return with_values(replace(config, output=output), values)


def place_output(place: str, name: str, *, apart: bool) -> str:
    """Where an output of a video goes, see `with_own_outputs`."""
    if NAME in place:
        return place.replace(NAME, name)
    path = Path(place)
    return str(path.parent / name / path.name) if apart else place


def value_of(config: TrackConfig, flag: str) -> str:
    """What a flag is set to."""
    stage, field = find_field(flag)
    return str(getattr(getattr(config, stage), field))


def with_values(config: TrackConfig, values: dict[str, str]) -> TrackConfig:
    """The configuration with other values for some flags."""
    changes: dict[str, dict[str, Any]] = {}
    for flag, value in values.items():
        stage, field = find_field(flag)
        changes.setdefault(stage, {})[field] = value
    stages_now = {name: replace(getattr(config, name), **new) for name, new in changes.items()}
    return replace(config, **stages_now)


def find_field(flag: str) -> tuple[str, str]:
    """The stage and the field behind a flag."""
    return next(
        (stage, item.name)
        for stage, kind in stages(TrackConfig).items()
        for item in flag_fields(kind)
        if item.metadata["flag"] == flag
    )
