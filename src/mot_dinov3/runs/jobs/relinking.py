"""After a run: tracks of the same object become one, in every output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from signal import SIGINT, SIGTERM
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING

from mot_dinov3.config import OutputConfig, TrackConfig
from mot_dinov3.config.tracking.relink import RelinkConfig
from mot_dinov3.errors import EXIT_SIGINT, EXIT_SIGTERM, MotError
from mot_dinov3.io.read.sources import SourceInfo
from mot_dinov3.io.write.atomic import is_stream
from mot_dinov3.outputs.sinks.jsonl import JsonLinesSink
from mot_dinov3.runs.jobs.base import JobObserver
from mot_dinov3.runs.loop import FrameSink, RunOutcome, StopRequest
from mot_dinov3.runs.relink.archives import rename_embeddings
from mot_dinov3.runs.relink.collector import TrackletCollector
from mot_dinov3.runs.relink.linking import find_merges
from mot_dinov3.runs.relink.renaming import Renaming, merge_folders
from mot_dinov3.runs.relink.texts import TEXTS
from mot_dinov3.runtime.notices import notice
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
) -> Relinker:
    """The relinker of a run; it does nothing without `--relink`.

    Args:
        config: all stages.
        info: the source.
        names: class id -> class name.
        timer: shared by all sinks.
        stack: removes a temporary frame log, which is written if the video or the report needs
            one and `--save-jsonl` was not given.
    """
    if not config.relink.relink:
        return Relinker(config, info, None, [])
    frame_log, sinks = find_file(config.output.save_jsonl), list[FrameSink]()
    if frame_log is None and (can_redraw(config, info) or config.output.report_file):
        place = stack.enter_context(TemporaryDirectory(prefix="mot-relink-"))
        frame_log = Path(place) / "run.jsonl"
        sinks.append(JsonLinesSink(str(frame_log), names, timer))
    return Relinker(config, info, frame_log, sinks)


def can_redraw(config: TrackConfig, info: SourceInfo) -> bool:
    """Whether a video is written whose pictures can be read again."""
    return not config.output.no_video and info.has_pixels and not info.is_live


class Relinker:
    """Collects the appearance of tracks during a run, and renames its outputs afterwards.

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
    ) -> None:
        """Prepare for a run.

        Args:
            config: all stages.
            info: the source.
            frame_log: of the run, None if nothing needs it.
            sinks: what writes a temporary frame log, none or one.
        """
        self._config, self._info, self._frame_log = config, info, frame_log
        self._collector = TrackletCollector()
        self.new_of: dict[int, int] = {}
        self._wanted = config.relink.relink
        self.sinks: list[FrameSink] = [self._collector, *sinks] if self._wanted else []

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
        video cannot be drawn again, and the failure becomes the error of the run.

        Args:
            facts: of the run.
            outcome: how the run ended; takes the error.
            stop: takes a signal that comes while the video is drawn.
            observer: shows the progress of drawing.
            reports: the report, none or one.
        """
        if not self._wanted:
            return facts
        facts = replace(facts, merges=(), relink_s={})
        if outcome.error is not None or stop.signal or not outcome.statistics.frames:
            notice("Not relinked: the run did not come to its end.")
            return facts
        started_s = perf_counter()
        merges = find_merges(self._collector.tracklets(), self._config.relink)
        found_s = perf_counter()
        self.new_of = {merge.old: merge.new for merge in merges}
        try:
            if merges and not self._rename(stop, observer):
                notice("Interrupted: all outputs keep the first identities.")
                return facts
            self._rename_reports(reports)
        except MotError as error:
            outcome.error = error
            notice("Not relinked: outputs keep the first identities.")
            return facts
        ended_s = perf_counter()
        spent_s = {"search": found_s - started_s, "rename": ended_s - found_s}
        return replace(facts, merges=tuple(merges), relink_s=spent_s)

    def _rename(self, stop: StopRequest, observer: JobObserver) -> bool:
        """Rewrite all outputs and replace them together; False if a signal interrupted it."""
        out = self._config.output
        lines = {"mot": out.save_mot, "csv": out.save_csv, "trace": out.save_trace}
        with Renaming(self.new_of) as renaming:
            for kind, name in lines.items():
                if (path := find_file(name)) is not None:
                    renaming.rewrite(path, TEXTS[kind])
            if (path := find_file(out.save_embeddings)) is not None:
                renaming.rewrite(path, rename_embeddings)
            if self._frame_log is not None:
                frame_log = renaming.rewrite(self._frame_log, TEXTS["jsonl"])
                if can_redraw(self._config, self._info):
                    video = renaming.reserve(Path(out.output))
                    if not self._redraw(frame_log, video, stop, observer):
                        return False
            renaming.publish()
        if out.save_crops:
            merge_folders(Path(out.save_crops), self.new_of, out.crops_per_id)
        self._report_unchanged()
        return True

    def _rename_reports(self, reports: Sequence[ReportSink]) -> None:
        for report in reports:
            if self.new_of and self._frame_log is not None:
                report.rename(self._frame_log, self.new_of)

    def _redraw(
        self, frame_log: Path, video: Path, stop: StopRequest, observer: JobObserver
    ) -> bool:
        """Draw the video once more; False if a signal interrupted it, which ends the run too."""
        from mot_dinov3.runs.jobs.redraw import redraw

        config = replace(self._config, output=OutputConfig(str(video)), relink=RelinkConfig())
        code = redraw(config, frame_log, observer).exit_code
        stop.signal = {EXIT_SIGINT: SIGINT, EXIT_SIGTERM: SIGTERM}.get(code, 0)
        return not stop.signal

    def _report_unchanged(self) -> None:
        """Name the outputs that keep the first ids, as they cannot be written again."""
        out = self._config.output
        files = (out.save_jsonl, out.save_mot, out.save_csv, out.save_trace)
        unchanged = [name for name in files if name and find_file(name) is None]
        if not out.no_video and not can_redraw(self._config, self._info):
            unchanged.append(f"{out.output} ('{self._info.name}' cannot be read again)")
        if unchanged:
            notice("These keep the first identities: %s.", ", ".join(unchanged))


def find_file(name: str) -> Path | None:
    """The file of an output, None if it is not given, or is a pipe or a terminal."""
    return Path(name) if name and not is_stream(Path(name)) else None
