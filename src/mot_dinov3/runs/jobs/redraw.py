"""The outputs of a run once more, from its journal and its source: nothing is computed again."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from mot_dinov3.config import SourceConfig, TrackConfig
from mot_dinov3.errors import EXIT_PARTIAL, InputError, UsageError
from mot_dinov3.io.info import FrameReader, SourceInfo
from mot_dinov3.io.paths import check_output
from mot_dinov3.outputs.sinks.base import FileSink
from mot_dinov3.outputs.sinks.factory import create_sinks
from mot_dinov3.runs.jobs.base import JobResult, Nobody, Onlooker
from mot_dinov3.runs.jobs.outputs import check_outputs
from mot_dinov3.runs.jobs.retelling import BELONG, Retelling, Survey, survey
from mot_dinov3.runs.loop import FrameSink, RunOutcome, RunSettings, run
from mot_dinov3.runs.session import open_frames
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.values import Frame
from mot_dinov3.wording import counted

log = logging.getLogger("mot_dinov3")

WRONG_LENGTH, FEW_FRAMES = 1.1, 25
"""Containers estimate how many frames they have, but not as badly as this."""


def redraw(config: TrackConfig, journal: Path, onlooker: Onlooker | None = None) -> JobResult:
    """Write the configured outputs from a journal, as the run itself would have.

    The journal decides which frames there are. All of it is read and checked, and its first
    frame is compared with the source, before any output is opened.

    Args:
        config: `source` says what was tracked, `draw` how it looks, `output` what is written.
        journal: what `--save-jsonl` wrote, also that of a killed run.
        onlooker: told how it goes; not of a summary, as nothing was measured.

    Raises:
        MotError: one of the two cannot be read, they do not belong together, or an output
            cannot be written; what was written before is kept.
    """
    known = survey(journal)
    with open_frames(config.source) as reader:
        require_pictures(reader.info)
        require_length(known, reader.info)
        require_outputs(config, journal, reader.info.path)
        timer = StageTimer()
        retelling = Retelling(known, reader, timer)
        frames = begun(retelling.frames())
        part = replace(config, source=part_of(config.source, known, reader.info))
        sinks = create_sinks(part, reader.info, known.names, timer)
        everyone: list[FrameSink] = [retelling, *sinks]
        settings = RunSettings(overlap=config.loop.overlap)
        with (onlooker or Nobody()).watch(known.frames) as tell:
            outcome = run(frames, retelling, everyone, timer, tell, settings)
        return _ended(known, reader, outcome, sinks)


def begun(frames: Iterator[Frame]) -> Iterator[Frame]:
    """The same frames, the first of which is there already."""
    return chain([next(frames)], frames)


def part_of(source: SourceConfig, known: Survey, info: SourceInfo) -> SourceConfig:
    """The flags of a run that tracked what the journal has: they decide on rate and sound."""
    ends_early = known.last + 1 < info.frame_count
    return replace(
        source,
        start_frame=known.first,
        end_frame=known.last if ends_early else -1,
        vid_stride=known.stride,
    )


def require_pictures(info: SourceInfo) -> None:
    """Refuse a source that cannot be looked at again.

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


def require_length(known: Survey, info: SourceInfo) -> None:
    """Refuse a journal that goes on long after the source, which says its length only roughly.

    Raises:
        InputError: they do not belong together.
    """
    if 0 < info.frame_count * WRONG_LENGTH + FEW_FRAMES < known.last:
        raise InputError(
            f"'{known.path}' goes on to frame {known.last}, but '{info.name}' has only about "
            f"{info.frame_count}.",
            fix=BELONG,
        )


def require_outputs(config: TrackConfig, journal: Path, source_path: Path | None) -> None:
    """Refuse outputs that cannot be written or would destroy what is read.

    Raises:
        UsageError: there is none, or two are in each other's way.
        OutputError: one cannot be written.
    """
    places = config.output.places
    if not places:
        raise UsageError(
            "--no-video leaves nothing to write.", fix="Name another output, such as --save-csv."
        )
    check_outputs(config, source_path)
    for name in places.values():
        check_output(Path(name), journal, config.output.no_clobber)


def _ended(
    known: Survey, reader: FrameReader, outcome: RunOutcome, sinks: Sequence[FileSink]
) -> JobResult:
    if outcome.error is not None:
        raise outcome.error
    if known.cut:
        log.warning(
            "'%s' ends in the middle of a line, as after a kill: its %s taken.",
            known.path, counted(known.frames, "whole frame was", "whole frames were"),
        )  # fmt: skip
    code = outcome.exit_code(partial=reader.partial)
    if code == EXIT_PARTIAL:
        log.error("'%s' is damaged or cut short: what could be read was taken.", reader.info.name)
    facts = outcome.statistics.facts(outcome.wall_s)
    return JobResult(facts, code, [sink.path for sink in sinks])
