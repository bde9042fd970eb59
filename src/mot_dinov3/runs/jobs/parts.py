"""The parts of one job: its system, and the sinks that take its frames."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mot_dinov3.config import TrackConfig
from mot_dinov3.io.read.sources import SourceInfo
from mot_dinov3.outputs.sinks.base import FileSink
from mot_dinov3.outputs.sinks.factory import create_sinks, list_sink_orders
from mot_dinov3.outputs.sinks.video import explain_lost_sound
from mot_dinov3.runs.identities.run import GalleryRun
from mot_dinov3.runs.jobs.counting import CountingTracker, add_counting
from mot_dinov3.runs.jobs.relinking import Relinker, create_relinker
from mot_dinov3.runs.jobs.resuming import create_journal_sinks, start_system
from mot_dinov3.runs.loop import FrameSink
from mot_dinov3.runs.loop.base import VideoTracker
from mot_dinov3.runtime.device import choose_device
from mot_dinov3.runtime.notices import log_notice
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.systems.base import LoadedSystem, System

if TYPE_CHECKING:
    from mot_dinov3.outputs.report.sink import ReportSink
    from mot_dinov3.runs.resume.journal import RunJournal

log = logging.getLogger("mot_dinov3")


@dataclass(frozen=True, slots=True)
class JobParts:
    """What a job is made of; nothing of it has begun.

    Attributes:
        tracker: the system for this clip, behind its run journal if one is kept.
        timer: shared by all sinks.
        journal: what `--resume` would go on from, None if none is kept.
        journal_sinks: what writes the journal, before all others.
        files: the outputs.
        reports: the report, none or one.
        relinker: merges tracks after the run.
        counting: the tracker that counts at lines and zones, None where there are none.
    """

    tracker: System
    timer: StageTimer
    journal: RunJournal | None
    journal_sinks: list[FrameSink]
    files: list[FileSink]
    reports: list[ReportSink]
    relinker: Relinker
    counting: CountingTracker | None = None

    @property
    def stepped(self) -> VideoTracker:
        """What takes the frames of the source."""
        return self.counting or self.tracker

    @property
    def sinks(self) -> list[FrameSink]:
        """Every sink that takes frames, in order; views may follow."""
        return [*self.journal_sinks, *self.files, *self.reports, *self.relinker.sinks]


def create_parts(
    config: TrackConfig,
    info: SourceInfo,
    system: LoadedSystem,
    journal: RunJournal | None,
    stack: ExitStack,
    gallery: GalleryRun | None = None,
) -> JobParts:
    """Create the parts of a job.

    Args:
        config: all stages.
        info: the source.
        system: loaded, not started yet.
        journal: entered already, None if none is kept.
        stack: closes what the job needs for itself.
        gallery: knows the identities of other runs, None without `--gallery`.
    """
    tracker = start_system(config, system, journal, gallery)
    log.info("%s; %s", tracker.title, choose_device(config.device.name))
    if silence := explain_lost_sound(config, info):
        log_notice(silence)
    system.check_source(info)
    timer, names = StageTimer(), system.names
    stores_vectors = any(order.kind.needs_embeddings for order in list_sink_orders(config.output))
    mark = system.describe_embedder(config) if stores_vectors else None
    files = create_sinks(config, info, names, timer, mark)
    return JobParts(
        tracker,
        timer,
        journal,
        [*create_journal_sinks(journal, tracker, files, timer)],
        files,
        create_report(config, info, names, timer),
        create_relinker(config, info, names, timer, stack, gallery),
        add_counting(tracker, config.count),
    )


def create_report(
    config: TrackConfig, info: SourceInfo, names: Mapping[int, str], timer: StageTimer
) -> list[ReportSink]:
    """The sink that gathers the report, the last of all sinks; none without `--report`.

    Args:
        config: all stages.
        info: the source.
        names: class id -> class name.
        timer: shared by all sinks.
    """
    path = config.output.report_file
    if not path:
        return []
    from mot_dinov3.outputs.report.sink import ReportSink

    return [ReportSink(path, info.name, names, timer, config.draw.blur, config.count)]
