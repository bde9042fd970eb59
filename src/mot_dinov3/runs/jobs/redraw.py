"""The outputs of a run once more, from its frame log and its source: no model runs."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from mot_dinov3.config import SourceConfig, TrackConfig
from mot_dinov3.errors import EXIT_PARTIAL, InputError, UsageError
from mot_dinov3.io.info import FrameReader, SourceInfo
from mot_dinov3.io.write.paths import check_output
from mot_dinov3.outputs.sinks.base import FileSink
from mot_dinov3.outputs.sinks.factory import create_sinks
from mot_dinov3.runs.jobs.base import JobObserver, JobResult, SilentObserver
from mot_dinov3.runs.jobs.counting import add_counting, check_counting
from mot_dinov3.runs.jobs.log_player import (
    BELONG,
    FrameLogPlayer,
    FrameLogSummary,
    summarise_frame_log,
)
from mot_dinov3.runs.jobs.outputs import check_outputs
from mot_dinov3.runs.loop import FrameSink, RunOutcome, RunSettings, run
from mot_dinov3.runs.session import open_frames
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.values import Frame
from mot_dinov3.wording import counted

log = logging.getLogger("mot_dinov3")

UNPLACED = (
    "'%s' does not say where %d detections were that no track took: they are not blurred.\n"
    "  Track with --blur: the frame log of such a run knows all of them."
)
LENGTH_FACTOR, LENGTH_SLACK_FRAMES = 1.1, 25
"""Containers estimate how many frames they have, with an error below this."""


def redraw(config: TrackConfig, frame_log: Path, observer: JobObserver | None = None) -> JobResult:
    """Write the configured outputs from a frame log, as the run itself would have.

    The frame log decides which frames there are. All of it is read and checked, and its first
    frame is compared with the source, before any output is opened.

    Args:
        config: `source` says what was tracked, `draw` how it looks, `output` what is written.
        frame_log: what `--save-jsonl` wrote, also that of a killed run.
        observer: is called while frames are drawn; there is no summary, as nothing is measured.

    Raises:
        MotError: one of the two cannot be read, they do not belong together, or an output
            cannot be written; what was written before is kept.
    """
    known = summarise_frame_log(frame_log)
    with open_frames(config.source) as reader:
        require_pictures(reader.info)
        require_length(known, reader.info)
        require_outputs(config, frame_log, reader.info.path)
        check_counting(config.count, reader.info)
        if config.draw.blurs and known.unplaced:
            log.warning(UNPLACED, known.path, known.unplaced)
        timer = StageTimer()
        player = FrameLogPlayer(known, reader, timer)
        frames = read_first(player.frames())
        part = replace(config, source=select_logged_part(config.source, known, reader.info))
        sinks = create_sinks(part, reader.info, known.names, timer)
        all_sinks: list[FrameSink] = [player, *sinks]
        settings = RunSettings(overlap=config.loop.overlap)
        with (observer or SilentObserver()).watch(known.frames) as on_frame:
            stepped = add_counting(player, config.count) or player
            outcome = run(frames, stepped, all_sinks, timer, on_frame, settings)
        return _finish(known, reader, outcome, sinks)


def read_first(frames: Iterator[Frame]) -> Iterator[Frame]:
    """The same frames, the first of which is read now, so that its errors come early."""
    return chain([next(frames)], frames)


def select_logged_part(
    source: SourceConfig, known: FrameLogSummary, info: SourceInfo
) -> SourceConfig:
    """The flags of a run that tracks just the frames of the log: they decide on rate and sound."""
    ends_early = known.last + 1 < info.frame_count
    return replace(
        source,
        start_frame=known.first,
        end_frame=known.last if ends_early else -1,
        vid_stride=known.stride,
    )


def require_pictures(info: SourceInfo) -> None:
    """Refuse a source whose pictures cannot be read again.

    Raises:
        UsageError: it is live, or has no images.
    """
    if info.is_live:
        raise UsageError(
            f"'{info.name}' is live: its pictures are gone.",
            fix="Give the video file that was tracked.",
        )
    if not info.has_pixels:
        raise UsageError(
            f"'{info.name}' has no images to draw on.",
            fix="Put the images beside its seqinfo.ini (img1).",
        )


def require_length(known: FrameLogSummary, info: SourceInfo) -> None:
    """Refuse a frame log that goes on long after the source, whose length is an estimate.

    Raises:
        InputError: they do not belong together.
    """
    if 0 < info.frame_count * LENGTH_FACTOR + LENGTH_SLACK_FRAMES < known.last:
        raise InputError(
            f"'{known.path}' goes on to frame {known.last}, but '{info.name}' has only about "
            f"{info.frame_count}.",
            fix=BELONG,
        )


def require_outputs(config: TrackConfig, frame_log: Path, source_path: Path | None) -> None:
    """Refuse outputs that cannot be written or would destroy what is read.

    Raises:
        UsageError: there is none, or two of them name the same file.
        OutputError: one cannot be written.
    """
    places = config.output.places
    if not places:
        raise UsageError(
            "--no-video leaves nothing to write.", fix="Name another output, such as --save-csv."
        )
    check_outputs(config, source_path)
    for name in places.values():
        check_output(Path(name), frame_log, config.output.no_clobber)


def _finish(
    known: FrameLogSummary, reader: FrameReader, outcome: RunOutcome, sinks: Sequence[FileSink]
) -> JobResult:
    if outcome.error is not None:
        raise outcome.error
    if known.cut:
        frames = counted(known.frames, "whole frame was", "whole frames were")
        log.warning(
            "'%s' ends in the middle of a line, as after a kill: its %s taken.", known.path, frames
        )
    code = outcome.exit_code(partial=reader.partial)
    if code == EXIT_PARTIAL:
        log.error("'%s' is damaged or cut short: what could be read was taken.", reader.info.name)
    facts = outcome.statistics.facts(outcome.wall_s)
    return JobResult(facts, code, [sink.path for sink in sinks])
