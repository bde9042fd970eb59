"""After a run: tracks of the same object become one, in every output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from signal import SIGINT, SIGTERM
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Any

from mot_dinov3.config import IdentityConfig, OutputConfig, TrackConfig
from mot_dinov3.config.tracking.outputs import VIDEO
from mot_dinov3.config.tracking.relink import RelinkConfig
from mot_dinov3.errors import EXIT_SIGINT, EXIT_SIGTERM, MotError
from mot_dinov3.io.read.sources import SourceInfo
from mot_dinov3.io.write.atomic import is_stream
from mot_dinov3.outputs.counting.counter import FrameCounter, count_frame_log
from mot_dinov3.outputs.sinks.factory import SinkOrder, list_sink_orders
from mot_dinov3.outputs.sinks.jsonl import JsonLinesSink
from mot_dinov3.outputs.sinks.renaming import NewOf
from mot_dinov3.runs.identities.run import GalleryRun
from mot_dinov3.runs.jobs.base import JobObserver
from mot_dinov3.runs.loop import FrameSink, RunOutcome, StopRequest
from mot_dinov3.runs.relink.collector import TrackletCollector
from mot_dinov3.runs.relink.linking import find_merges
from mot_dinov3.runs.relink.renaming import Renaming
from mot_dinov3.runtime.notices import log_notice
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.values.run_facts import RunFacts

if TYPE_CHECKING:
    from mot_dinov3.outputs.report.sink import ReportSink


def create_relinker(
    config: TrackConfig,
    info: SourceInfo,
    names: Mapping[int, str],
    timer: StageTimer,
    stack: ExitStack,
    gallery: GalleryRun | None = None,
) -> Relinker:
    """The relinker of a run; it does nothing without `--relink` and `--gallery`.

    Args:
        config: all stages.
        info: the source.
        names: class id -> class name.
        timer: shared by all sinks.
        stack: removes a temporary frame log, which is written if the video, the report or the
            counts need one and `--save-jsonl` was not given.
        gallery: of the run, None without `--gallery`.
    """
    merger = TrackMerger(config.relink) if config.relink.relink else None
    if merger is None and gallery is None:
        return Relinker(config, info, None, [])
    frame_log = find_file(config.output.save_jsonl)
    sinks: list[FrameSink] = [] if merger is None else [merger.collector]
    needed = config.output.report_file or config.count.wanted
    if frame_log is None and (can_redraw(config, info) or needed):
        place = stack.enter_context(TemporaryDirectory(prefix="mot-relink-"))
        frame_log = Path(place) / "run.jsonl"
        sinks.append(JsonLinesSink(str(frame_log), names, timer, untracked=config.draw.blurs))
    return Relinker(config, info, frame_log, sinks, gallery or merger)


def can_redraw(config: TrackConfig, info: SourceInfo) -> bool:
    """Whether there is an output to draw again, and a source whose pictures can be read again."""
    return bool(find_redrawn(config)) and info.has_pixels and not info.is_live


def find_redrawn(config: TrackConfig) -> list[SinkOrder]:
    """The outputs that cannot be renamed, but written again from a frame log, as the video."""
    return [
        order
        for order in list_sink_orders(config.output)
        if order.kind.rename is None and order.kind.from_frame_log and not order.kind.is_directory
    ]


class TrackMerger:
    """Finds the tracks of a run that are one object, for `--relink`.

    Attributes:
        collector: takes every frame.
    """

    nothing: Mapping[str, Any] = {"merges": ()}

    def __init__(self, config: RelinkConfig) -> None:
        self._config = config
        self.collector = TrackletCollector()

    def find(self) -> tuple[NewOf, Mapping[str, Any]]:
        """The new ids, and what the facts of the run say of them."""
        merges = tuple(find_merges(self.collector.tracklets(), self._config))
        return {merge.old: merge.new for merge in merges}, {"merges": merges}


class Relinker:
    """Finds the tracks that are one object when a run has ended, and renames its outputs.

    Attributes:
        sinks: take every frame, after all others.
        new_of: id of a track that was merged -> the id that takes its place; empty before.
    """

    def __init__(
        self,
        config: TrackConfig,
        info: SourceInfo,
        frame_log: Path | None,
        sinks: Sequence[FrameSink],
        finder: TrackMerger | GalleryRun | None = None,
    ) -> None:
        """Prepare for a run.

        Args:
            config: all stages.
            info: the source.
            frame_log: of the run, None if nothing needs it.
            sinks: what collects tracks, and what writes a temporary frame log.
            finder: knows the new ids at the end; None leaves all outputs as they are.
        """
        self._config, self._info, self._frame_log = config, info, frame_log
        self._finder, self.sinks = finder, sinks
        self.new_of: NewOf = {}

    def relink(
        self,
        facts: RunFacts,
        outcome: RunOutcome,
        stop: StopRequest,
        observer: JobObserver,
        reports: Sequence[ReportSink],
    ) -> RunFacts:
        """Find the tracks of the same object, rename the outputs, and return the facts with both.

        A run that broke off or was interrupted keeps the first ids everywhere. So does one whose
        video cannot be drawn again, and the failure becomes the error of the run. A live source
        ends when it is interrupted, so its gallery is written all the same.

        Args:
            facts: of the run.
            outcome: how the run ended; takes the error.
            stop: takes a signal that comes while the video is drawn.
            observer: shows the progress of drawing.
            reports: the report, none or one.
        """
        finder = self._finder
        if finder is None:
            return facts
        facts = replace(facts, relink_s={}, **finder.nothing)
        stopped = stop.signal and not (self._info.is_live and isinstance(finder, GalleryRun))
        if outcome.error is not None or stopped or not outcome.statistics.frames:
            log_notice("Not relinked: the run did not come to its end.")
            return facts
        started_s = perf_counter()
        try:
            self.new_of, found = finder.find()
            found_s = perf_counter()
            if self.new_of and not self._rename(stop, observer):
                log_notice("Interrupted: all outputs keep the first identities.")
                return facts
            self._rename_reports(reports)
        except MotError as error:
            outcome.error = error
            log_notice("Not relinked: outputs keep the first identities.")
            return facts
        ended_s = perf_counter()
        spent_s = {"search": found_s - started_s, "rename": ended_s - found_s}
        return replace(facts, relink_s=spent_s, **found)

    def count_again(self) -> FrameCounter | None:
        """What is counted at lines and zones under the new ids; None where no frame log is kept."""
        if self._frame_log is None:
            return None
        return count_frame_log(self._frame_log, self._config.count)

    def _rename(self, stop: StopRequest, observer: JobObserver) -> bool:
        """Rewrite all outputs and replace them together; False if a signal interrupted it."""
        frame_log = None
        with Renaming(self.new_of) as renaming:
            for order in list_sink_orders(self._config.output):
                path = find_file(order.path)
                if order.kind.rename is not None and path not in (None, self._frame_log):
                    renaming.rewrite(Path(order.path), order.kind.rename)
            if self._frame_log is not None:
                frame_log = renaming.rewrite(self._frame_log, JsonLinesSink.rename)
            if frame_log is not None and can_redraw(self._config, self._info):
                redrawn = {
                    order.name: renaming.reserve(Path(order.path))
                    for order in find_redrawn(self._config)
                }
                if not self._redraw(frame_log, redrawn, stop, observer):
                    return False
            renaming.publish()
        self._report_unchanged()
        return True

    def _rename_reports(self, reports: Sequence[ReportSink]) -> None:
        for report in reports:
            if self.new_of and self._frame_log is not None:
                report.rename(self._frame_log, self.new_of)

    def _redraw(
        self,
        frame_log: Path,
        places: Mapping[str, Path],
        stop: StopRequest,
        observer: JobObserver,
    ) -> bool:
        """Write outputs once more; False if a signal interrupted it, which ends the run too.

        Args:
            frame_log: of the run, under the new ids.
            places: name of an output -> the file to write.
            stop: takes a signal that comes meanwhile.
            observer: shows the progress.
        """
        from mot_dinov3.runs.jobs.redraw import redraw

        others = ",".join(f"{name}={path}" for name, path in places.items() if name != VIDEO)
        output = OutputConfig(
            output=str(places.get(VIDEO, "")), no_video=VIDEO not in places, save=others
        )
        config = replace(self._config, output=output, relink=RelinkConfig())
        config = replace(config, identities=IdentityConfig())
        code = redraw(config, frame_log, observer).exit_code
        stop.signal = {EXIT_SIGINT: SIGINT, EXIT_SIGTERM: SIGTERM}.get(code, 0)
        return not stop.signal

    def _report_unchanged(self) -> None:
        """Rename directories, and name the outputs that keep the first ids."""
        kept, undrawn = [], []
        for order in list_sink_orders(self._config.output):
            kind = order.kind
            if kind.is_directory:
                if not kind.rename_directory(Path(order.path), self.new_of, self._config.output):
                    kept.append(order.path)
            elif kind.rename is not None:
                kept += [order.path] if find_file(order.path) is None else []
            elif not kind.from_frame_log:
                kept.append(order.path)
            elif not can_redraw(self._config, self._info):
                undrawn.append(f"{order.path} ('{self._info.name}' cannot be read again)")
        if kept or undrawn:
            log_notice("These keep the first identities: %s.", ", ".join([*kept, *undrawn]))


def find_file(name: str) -> Path | None:
    """The file of an output, None if it is not given, or is a pipe or a terminal."""
    return Path(name) if name and not is_stream(Path(name)) else None
