"""A batch as a list of tasks: one job each, none in the way of another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mot_dinov3.config import BatchConfig, TrackConfig
from mot_dinov3.errors import OutputError, UsageError
from mot_dinov3.io.containers import printable_name
from mot_dinov3.io.paths import check_output
from mot_dinov3.io.read.sources import plain_name
from mot_dinov3.runs.batch.names import NAME, named, own_inputs, unique_names, value_of
from mot_dinov3.runs.batch.sources import Listed, expand, is_list
from mot_dinov3.runs.jobs.outputs import output_places


@dataclass(frozen=True, slots=True)
class Task:
    """One video of a batch.

    Attributes:
        number: its place in the batch, from 1.
        name: what its outputs are called after; no two tasks share one.
        where: the line of the list that names it, empty for the command line.
        config: a job of its own, as for this video alone.
        again: another worker has died of it.
    """

    number: int
    name: str
    where: str
    config: TrackConfig
    again: bool = False

    @property
    def source(self) -> str:
        """The source as messages may show it."""
        return printable_name(self.config.source.source)


def is_batch(config: TrackConfig) -> bool:
    """Whether a configuration asks for many videos, or for one in the way of many."""
    return config.batch.wanted or is_list(config.source.source)


def alone(config: TrackConfig) -> TrackConfig:
    """The configuration of a single video, `{name}` filled in."""
    return named(config, plain_name(config.source.source), apart=False)


def tasks_of(config: TrackConfig) -> list[Task]:
    """The videos of a batch in order, with names and outputs of their own.

    Raises:
        InputError: a list or a directory cannot be read or has no video.
        UsageError: a setting that belongs to one video is given to several.
        OutputError: an output would replace a video that is to be read.
    """
    _refuse_views(config)
    sources = config.batch.sources or (config.source.source,)
    listed = expand(sources, each=config.batch.each)
    _refuse_shared(config, len(listed))
    names = unique_names([item.source for item in listed])
    tasks = [
        Task(number, name, item.where, _own(config, item, name))
        for number, (item, name) in enumerate(zip(listed, names, strict=True), 1)
    ]
    _keep_sources(tasks, config.batch.batch_json)
    return tasks


def _own(config: TrackConfig, item: Listed, name: str) -> TrackConfig:
    source = replace(config.source, source=item.source)
    resume = replace(config.resume, one_of_many=True)
    return named(
        replace(config, source=source, resume=resume, batch=BatchConfig()), name, apart=True
    )


def _refuse_views(config: TrackConfig) -> None:
    """A page and a window show one run."""
    for flag, asked in (("--serve", config.live.serve), ("--show", config.live.show)):
        if asked:
            raise UsageError(
                f"{flag} shows a single run, not a batch.", fix="Track one video to watch it."
            )


def _refuse_shared(config: TrackConfig, count: int) -> None:
    """Boxes and camera motion of a file belong to one video."""
    for flag, prefix in own_inputs(config).items():
        value = value_of(config, flag)
        if count > 1 and NAME not in value:
            raise UsageError(
                f"{flag} {value} belongs to one video, not to {count}.",
                fix=f"Write {NAME} for the name of the video, such as {prefix}{NAME}.txt.",
            )


def _keep_sources(tasks: Sequence[Task], batch_json: str) -> None:
    """Refuse a batch in which one video's output would replace another video."""
    sources = {Path(task.config.source.source).expanduser().resolve() for task in tasks}
    outputs = [
        (flag, place) for task in tasks for flag, place in output_places(task.config).items()
    ]
    if batch_json:
        outputs.append(("--batch-json", batch_json))
        check_output(Path(batch_json), None, no_clobber=False)
    for flag, place in outputs:
        if Path(place).resolve() in sources:
            raise OutputError(
                f"{flag} '{place}' is one of the videos that are to be read.",
                fix="Write the outputs into another directory.",
            )
