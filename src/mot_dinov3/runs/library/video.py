"""A video, a camera or a sequence of images as an iterator of results."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from mot_dinov3.config import TrackConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.io.read.sources import FrameReader, count_selected
from mot_dinov3.runs.library.models import Models
from mot_dinov3.runs.library.pictures import name_kind
from mot_dinov3.runs.library.result import Result, ResultMaker
from mot_dinov3.runs.library.settings import (
    build_checked,
    list_keys_of_video,
    plain,
    read_settings,
)
from mot_dinov3.runs.session import open_frames, require_pixels
from mot_dinov3.systems.factory import create_system
from mot_dinov3.values import Frame, FrameResult

if TYPE_CHECKING:
    from mot_dinov3.systems.base import System


def track(
    source: str | Path | int,
    *,
    models: Models | None = None,
    progress: bool = False,
    **flags: Any,  # noqa: ANN401 - as many kinds as settings have
) -> Iterator[Result]:
    """Track a source frame by frame, writing nothing.

    The source is opened and models are loaded when the first result is asked for.

    Args:
        source: what `--source` may name: a video, a directory of images, a camera, an address.
        models: loaded models to share; its own when left out.
        progress: show a bar, in a notebook as a widget.
        flags: any setting of the source and of tracking by the name of its flag, such as
            `classes="person"` or `max_frames=100`.

    Raises:
        UsageError: there is no such setting, or its value breaks a rule.
        MotError: the source or a model cannot be used.
    """
    _require_source(source)
    values = read_settings("track()", flags, list_keys_of_video())
    Models.require(models)
    values = models.merge("track()", values) if models is not None else values
    config = build_checked(values | {"source": str(source)})
    if models is not None and config.tracker.system != "modular":
        raise UsageError("models= are those of the system modular.", fix="Leave them out.")
    return iterate(config, models, progress=progress)


def _require_source(source: object) -> None:
    """Refuse what cannot be the name of a source.

    Raises:
        UsageError: it is several sources, a picture or nothing.
    """
    if isinstance(source, list | tuple):
        raise UsageError(
            "track() takes one source, got several.", fix="Call it once for each source."
        )
    if not isinstance(plain(source), str | int):
        raise UsageError(
            f"track() takes the name of a source, got {name_kind(source)}.",
            fix="Pictures go to Tracker().track(image), one after another.",
        )


def iterate(
    config: TrackConfig, models: Models | None = None, *, progress: bool = False
) -> Iterator[Result]:
    """The results of the frames of a source.

    Args:
        config: all stages.
        models: loaded models to share, None for those of `config`.
        progress: show a bar.

    Raises:
        MotError: the source or a model cannot be used.
    """
    with open_frames(config.source, config.live) as reader:
        require_pixels(config, reader.info)
        system = models.shelf.start(config) if models is not None else create_system(config)
        frames = show_progress(reader, config) if progress else reader
        results = ResultMaker(config.draw)
        lock = models.shelf.lock if models is not None else nullcontext()
        for frame, found in step_through(system, frames, lock, live=reader.info.is_live):
            image = frame.image if reader.info.has_pixels else None
            yield results.make(found, image, system.names)


def step_through(
    system: System, frames: Iterable[Frame], lock: AbstractContextManager[object], *, live: bool
) -> Iterator[tuple[Frame, FrameResult]]:
    """Each frame with its result; the system learns what time everything else took.

    Args:
        system: has seen no frame yet.
        frames: in order of time.
        lock: held while the system works; waiting for it is not work.
        live: the source makes the reader wait, which is not work either.
    """
    ended_s = None
    for frame in frames:
        ready_s = perf_counter()
        with lock:
            if ended_s is None:
                system.warm_up(frame)
            started_s = perf_counter()
            result = system.step(frame)
        between_ms = 0.0 if ended_s is None or live else (ready_s - ended_s) * 1000
        ended_s = perf_counter()
        system.pace(between_ms + (ended_s - started_s) * 1000 - result.embed.embed_ms)
        yield frame, result


def show_progress(reader: FrameReader, config: TrackConfig) -> Iterable[Frame]:
    """The frames of a reader with a bar that counts them."""
    from tqdm.auto import tqdm

    total = count_selected(config.source, reader.info.frame_count)
    bar: Iterable[Frame] = tqdm(reader, total=total or None, unit="frame", dynamic_ncols=True)
    return bar
