"""The parts of one job: its tracker, and everybody who is handed its frames."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mot_dinov3.config import TrackConfig
from mot_dinov3.io.read.sources import SourceInfo
from mot_dinov3.outputs.sinks.base import FileSink
from mot_dinov3.outputs.sinks.factory import create_sinks
from mot_dinov3.perception.detectors.base import Detector, StoredBoxes
from mot_dinov3.runs.jobs.relinking import Relinker, create_relinker
from mot_dinov3.runs.jobs.resuming import journal_sinks, wired
from mot_dinov3.runs.loop import FrameSink, VideoTracker
from mot_dinov3.runtime.device import choose_device
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.systems.modular import Models, ModularTracker
from mot_dinov3.wording import counted, form_of

if TYPE_CHECKING:
    from mot_dinov3.outputs.report.sink import ReportSink
    from mot_dinov3.runs.resume.journal import RunJournal

log = logging.getLogger("mot_dinov3")


@dataclass(frozen=True, slots=True)
class Parts:
    """What a job is made of, none of it begun.

    Attributes:
        tracker: who is there.
        runs: what the loop runs: the tracker, behind its journal where one is kept.
        timer: shared by all sinks.
        journal: what `--resume` would go on from, None where none is kept.
        journal_sinks: who writes it, before all others.
        files: the outputs.
        reports: the report, none or one.
        relinker: merges identities after the run.
    """

    tracker: ModularTracker
    runs: VideoTracker
    timer: StageTimer
    journal: RunJournal | None
    journal_sinks: list[FrameSink]
    files: list[FileSink]
    reports: list[ReportSink]
    relinker: Relinker

    @property
    def sinks(self) -> list[FrameSink]:
        """Everybody who is handed frames, in order; views may follow."""
        return [*self.journal_sinks, *self.files, *self.reports, *self.relinker.sinks]


def make_parts(
    config: TrackConfig,
    info: SourceInfo,
    models: Models,
    journal: RunJournal | None,
    stack: ExitStack,
) -> Parts:
    """Wire a job together.

    Args:
        config: all stages.
        info: the source.
        models: what sees and what describes.
        journal: entered already.
        stack: closes what the job needs for itself.
    """
    tracker, runs = wired(config, models, journal)
    log.info("detector %s; embedder %s; %s", tracker.detector.title,
             tracker.embedder.title if tracker.embedder else "none",
             choose_device(config.device))  # fmt: skip
    warn_of_unused_boxes(models.detector, info)
    timer, names = StageTimer(), models.detector.names
    files = create_sinks(config, info, names, timer)
    return Parts(
        tracker,
        runs,
        timer,
        journal,
        [*journal_sinks(journal, runs, files, timer)],
        files,
        create_report(config, info, names, timer),
        create_relinker(config, info, names, timer, stack),
    )


def create_report(
    config: TrackConfig, info: SourceInfo, names: Mapping[int, str], timer: StageTimer
) -> list[ReportSink]:
    """What gathers the report, the last of the sinks; none where none was asked for."""
    path = config.output.report_file
    if not path:
        return []
    from mot_dinov3.outputs.report.sink import ReportSink

    return [ReportSink(path, info.name, names, timer)]


def warn_of_unused_boxes(detector: Detector, info: SourceInfo) -> None:
    """Say it where replayed detections go on after the end of images or of a sequence.

    The length of a video is known only when it has been read, so nothing is said of videos.
    """
    known = info.frame_count > 0 and info.path is None and not info.is_live
    if known and isinstance(detector, StoredBoxes):
        unused = detector.rows_after(info.frame_count)
        if unused:
            log.warning("%s: %s after the last frame of '%s', %d, and %s not used.",
                        detector.title, counted(unused, "box lies", "boxes lie"), info.name,
                        info.frame_count, form_of(unused, "is", "are"))  # fmt: skip
