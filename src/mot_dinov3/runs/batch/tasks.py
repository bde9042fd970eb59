"""A batch as a list of tasks: one job each, with outputs of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from os.path import realpath
from pathlib import Path

from mot_dinov3.config import BatchConfig, TrackConfig
from mot_dinov3.errors import OutputError, UsageError
from mot_dinov3.io.containers import printable_name
from mot_dinov3.io.read.sources import plain_name
from mot_dinov3.io.write.paths import check_output
from mot_dinov3.runs.batch.live import are_cameras, refuse_flags
from mot_dinov3.runs.batch.names import NAME, unique_names, value_of, with_own_outputs
from mot_dinov3.runs.batch.sources import ListedSource, expand_sources, is_list
from mot_dinov3.systems.factory import system_class


@dataclass(frozen=True, slots=True)
class Task:
    """One video of a batch.

    Attributes:
        number: its place in the batch, from 1.
        name: its outputs have this name; no two tasks have the same one.
        where: the line of the list that names it, empty for the command line.
        config: of a job for this video alone.
        again: a worker died in an earlier try of it.
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
    """Whether a configuration asks for many videos, or for one that is named by a list."""
    return config.batch.wanted or is_list(config.source.source)


def fill_in_name(config: TrackConfig) -> TrackConfig:
    """The configuration of a single video, `{name}` filled in."""
    return with_own_outputs(config, plain_name(config.source.source), apart=False)


def create_tasks(config: TrackConfig) -> list[Task]:
    """The videos of a batch in order, with names and outputs of their own.

    Raises:
        InputError: a list or a directory cannot be read or has no video.
        UsageError: a setting that belongs to one video is given to several, or a live source
            would keep others from being begun.
        OutputError: an output would replace a video that is to be read.
    """
    sources = config.batch.sources or (config.source.source,)
    listed = expand_sources(sources, each=config.batch.each)
    if are_cameras(config, listed):
        refuse_flags(config)
    else:
        _refuse_views(config)
    _refuse_shared(config, len(listed))
    names = unique_names([item.source for item in listed])
    tasks = [
        Task(number, name, item.where, _create_config(config, item, name))
        for number, (item, name) in enumerate(zip(listed, names, strict=True), 1)
    ]
    _refuse_replaced_sources(tasks, config.batch.tables)
    return tasks


def _create_config(config: TrackConfig, item: ListedSource, name: str) -> TrackConfig:
    source = replace(config.source, source=item.source)
    resume = replace(config.resume, one_of_many=True)
    return with_own_outputs(
        replace(config, source=source, resume=resume, batch=BatchConfig()), name, apart=True
    )


def _refuse_views(config: TrackConfig) -> None:
    """Refuse a page and a window, which show one run."""
    for flag, asked in (("--serve", config.live.serve), ("--show", config.live.show)):
        if asked:
            raise UsageError(
                f"{flag} shows a single run, not a batch.", fix="Track one video to watch it."
            )


def _refuse_shared(config: TrackConfig, count: int) -> None:
    """Refuse a file of boxes or camera motion for several videos, as it belongs to one."""
    for flag, prefix in system_class(config).find_clip_inputs(config).items():
        value = value_of(config, flag)
        if count > 1 and NAME not in value:
            raise UsageError(
                f"{flag} {value} belongs to one video, not to {count}.",
                fix=f"Write {NAME} for the name of the video, such as {prefix}{NAME}.txt.",
            )


def _refuse_replaced_sources(tasks: Sequence[Task], tables: Mapping[str, str]) -> None:
    """Refuse a batch in which one video's output would replace another video."""
    sources = {Path(realpath(Path(task.config.source.source).expanduser())) for task in tasks}
    outputs = [(flag, place) for task in tasks for flag, place in task.config.output.places.items()]
    for flag, place in tables.items():
        outputs.append((flag, place))
        check_output(Path(place), None, no_clobber=False)
    for flag, place in outputs:
        if Path(realpath(place)) in sources:
            raise OutputError(
                f"{flag} '{place}' is one of the videos that are to be read.",
                fix="Write the outputs into another directory.",
            )
