"""The main job as a function: models, loop, outputs, figures. It prints nothing itself."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from mot_dinov3.compat import load_environment
from mot_dinov3.config import TrackConfig
from mot_dinov3.detectors.base import Detector
from mot_dinov3.device import choose_device
from mot_dinov3.errors import EXIT_OK, EXIT_PARTIAL, InputError, MotError
from mot_dinov3.io.sources import FrameReader, SourceInfo, count_selected
from mot_dinov3.jobs.figures import collect, thread_shares, write_stats
from mot_dinov3.jobs.outputs import check_outputs
from mot_dinov3.jobs.relinking import create_relinker
from mot_dinov3.jobs.resuming import (
    done_before,
    journal_of,
    journal_place,
    journal_sinks,
    loaded,
    settle,
    wired,
)
from mot_dinov3.jobs.views import Views
from mot_dinov3.pipeline import Models
from mot_dinov3.run import FrameSink, OnFrame, RunOutcome, RunSettings, StopRequest, run
from mot_dinov3.session import open_frames, require_pixels
from mot_dinov3.sinks.base import FileSink
from mot_dinov3.sinks.factory import create_sinks
from mot_dinov3.timing import StageTimer

if TYPE_CHECKING:
    from mot_dinov3.report.sink import ReportSink

log = logging.getLogger("mot_dinov3")

DAMAGED = (
    "'%s' is damaged or cut short: what could be read was tracked and kept.\n"
    "  Copy or record it again to track the rest."
)
LOST = (
    "'%s' was lost and did not come back: what came before was tracked and kept.\n"
    "  Give --reconnect more tries, or --read-timeout more seconds, to bridge longer gaps."
)


@dataclass(frozen=True, slots=True)
class JobResult:
    """What came of a job.

    Attributes:
        stats: the figures of `--stats-json`.
        exit_code: what the process should return.
        written: the outputs that exist now.
    """

    stats: dict[str, Any]
    exit_code: int
    written: list[str]


class Onlooker(Protocol):
    """Whoever is told how a job goes."""

    def watch(self, total: int) -> AbstractContextManager[OnFrame | None]:
        """Told of every frame inside; `total` frames are expected, 0 if that is unknown."""

    def page_at(self, url: str) -> None:
        """Told where `--serve` shows the job; the address is a secret."""

    def summed_up(self, stats: dict[str, Any]) -> None:
        """Told of the figures, also where an error follows; not if no frame was tracked."""


class Nobody:
    """An onlooker that looks away."""

    def watch(self, total: int) -> AbstractContextManager[OnFrame | None]:
        """Nothing to tell."""
        return nullcontext()

    def page_at(self, url: str) -> None:
        """Nobody to watch."""

    def summed_up(self, stats: dict[str, Any]) -> None:
        """Nothing to tell."""


def run_job(
    config: TrackConfig, models: Models | None = None, onlooker: Onlooker | None = None
) -> JobResult:
    """Track the configured source and write the configured outputs.

    Args:
        config: all stages.
        models: loaded with the same stages `detector`, `device`, `embedder` and `cheap`; loaded
            here when left out.
        onlooker: told how it goes.

    Raises:
        MotError: nothing could be done, or the run broke off; then what was tracked before is
            written and summed up already.
    """
    onlooker = onlooker or Nobody()
    load_environment()
    stop = StopRequest()
    with (
        Views(config, stop) as views,
        open_frames(config.source, config.live, stop.wanted) as reader,
        ExitStack() as stack,
    ):
        place = journal_place(config, reader.info)
        if (before := done_before(config, place)) is not None:
            return JobResult(before, EXIT_OK, [])
        check_outputs(config, reader.info.path)
        require_pixels(config, reader.info)
        models = models or loaded(config)
        journal = stack.enter_context(journal_of(place, config, models))
        tracker, runs = wired(config, models, journal)
        log.info("detector %s; embedder %s; %s", tracker.detector.title,
                 tracker.embedder.title if tracker.embedder else "none",
                 choose_device(config.device))  # fmt: skip
        warn_of_unused_boxes(models.detector, reader.info)
        timer = StageTimer()
        sinks = create_sinks(config, reader.info, tracker.detector.names, timer)
        kept = journal_sinks(journal, runs, sinks, timer)
        report = create_report(config, reader.info, tracker.detector.names, timer)
        relinker = create_relinker(config, reader.info, tracker.detector.names, timer, stack)
        shown = views.sinks(reader, models.detector.names)
        all_sinks: list[FrameSink] = [*kept, *sinks, *report, *shown, *relinker.sinks]
        if views.url:
            onlooker.page_at(views.url)
        with stop.listening():  # until all is written, or a signal would leave half of it
            with onlooker.watch(count_selected(config.source, reader.info.frame_count)) as tell:
                settings = settings_for(config, reader.info, stop)
                outcome = run(reader, runs, all_sinks, timer, views.told(tell), settings)
            stats = collect(config, reader, tracker, outcome)
            stats["threads"] = thread_shares(outcome, sinks)
            stats["resumed_frames"] = journal.told_frames if journal else 0
            stats |= relinker.conclude(outcome, stop, onlooker, report)
            if outcome.statistics.frames:
                publish(config.output.stats_json, report, stats, outcome)
                onlooker.summed_up(stats)
            outcome.stopped_by = stop.signal
            settle(journal, config, outcome, stats)
        return JobResult(stats, ended(outcome, reader), written(config, outcome, sinks))


def create_report(
    config: TrackConfig, info: SourceInfo, names: Mapping[int, str], timer: StageTimer
) -> list[ReportSink]:
    """What gathers the report, the last of the sinks; none where none was asked for."""
    path = config.output.report_file
    if not path:
        return []
    from mot_dinov3.report.sink import ReportSink

    return [ReportSink(path, info.name, names, timer)]


def publish(
    stats_json: str, reports: Sequence[ReportSink], stats: dict[str, Any], outcome: RunOutcome
) -> None:
    """Write the figures and the report; a failure is the run's error unless it had one before."""
    writes = [partial(report.publish, stats) for report in reports]
    if stats_json:
        writes.insert(0, partial(write_stats, stats_json, stats))
    for write in writes:
        try:
            write()
        except MotError as error:
            outcome.error = outcome.error or error


def settings_for(config: TrackConfig, info: SourceInfo, stop: StopRequest) -> RunSettings:
    """How the loop runs: without pixels there is nothing that a second thread could take over."""
    return RunSettings(info.is_live, config.loop.overlap and info.has_pixels, stop)


def warn_of_unused_boxes(detector: Detector, info: SourceInfo) -> None:
    """Say it where replayed detections go on after the end of images or of a sequence.

    The length of a video is known only when it has been read, so nothing is said of videos.
    """
    from mot_dinov3.detectors.mot_file import MotFileDetector

    known = info.frame_count > 0 and info.path is None and not info.is_live
    if known and isinstance(detector, MotFileDetector):
        unused = detector.rows_after(info.frame_count)
        if unused:
            log.warning("%s: %d boxes lie after the last frame of '%s', %d, and are not used.",
                        detector.title, unused, info.name, info.frame_count)  # fmt: skip


def ended(outcome: RunOutcome, reader: FrameReader) -> int:
    """The exit code of a job whose outputs are written.

    Raises:
        MotError: the run broke off, or there was nothing to track.
    """
    if outcome.error is not None:
        raise outcome.error
    if not (outcome.statistics.frames or outcome.stopped_by or outcome.asked):
        raise InputError(
            f"No frame of '{reader.info.name}' was left to track.",
            fix="Check --start-frame and --end-frame, and that the file plays elsewhere.",
        )
    code = outcome.exit_code(partial=reader.partial)
    if code == EXIT_PARTIAL:
        log.error(LOST if reader.info.is_live else DAMAGED, reader.info.name)
    return code


def written(config: TrackConfig, outcome: RunOutcome, sinks: Sequence[FileSink]) -> list[str]:
    """The files that exist now."""
    if not outcome.statistics.frames:
        return []
    more = (config.output.stats_json, config.output.report_file)
    return [*(sink.path for sink in sinks), *filter(None, more)]
