"""After a run: identities that were split become one, in every output."""

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
from mot_dinov3.runs.jobs.base import Onlooker
from mot_dinov3.runs.loop import FrameSink, RunOutcome, StopRequest
from mot_dinov3.runs.relink.archives import rename_embeddings
from mot_dinov3.runs.relink.collector import TrackletCollector
from mot_dinov3.runs.relink.folders import merge_folders
from mot_dinov3.runs.relink.linking import find_mergers
from mot_dinov3.runs.relink.renaming import Renaming
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
    """What relinks a run, if that is wanted.

    Args:
        config: all stages.
        info: the source.
        names: class id -> name.
        timer: of the run's sinks.
        stack: closes a journal of our own, where the video needs one and none was asked for.
    """
    if not config.relink.relink:
        return Relinker(config, info, None, [])
    journal, sinks = _ordinary(config.output.save_jsonl), list[FrameSink]()
    if journal is None and (can_redraw(config, info) or config.output.report_file):
        place = stack.enter_context(TemporaryDirectory(prefix="mot-relink-"))
        journal = Path(place) / "run.jsonl"
        sinks.append(JsonLinesSink(str(journal), names, timer))
    return Relinker(config, info, journal, sinks)


def can_redraw(config: TrackConfig, info: SourceInfo) -> bool:
    """Whether there is a video whose pictures can be had again."""
    return not config.output.no_video and info.has_pixels and not info.is_live


class Relinker:
    """Gathers looks while a run goes, and renames its outputs when it has ended.

    Attributes:
        sinks: to be told of every frame, after all others.
        new_of: identity that was given up -> the one that took its place, once that is known.
    """

    def __init__(
        self,
        config: TrackConfig,
        info: SourceInfo,
        journal: Path | None,
        sinks: Sequence[FrameSink],
    ) -> None:
        """Args: all stages; source; the run line by line, where needed; what writes only that."""
        self._config, self._info, self._journal = config, info, journal
        self._collector = TrackletCollector()
        self.new_of: dict[int, int] = {}
        self._wanted = config.relink.relink
        self.sinks: list[FrameSink] = [self._collector, *sinks] if self._wanted else []

    def conclude(
        self,
        facts: RunFacts,
        outcome: RunOutcome,
        stop: StopRequest,
        onlooker: Onlooker,
        reports: Sequence[ReportSink],
    ) -> RunFacts:
        """Find who is one, rename the outputs, and return the facts with what came of it.

        A run that broke off, or was interrupted, keeps its first identities everywhere; so does
        one whose video cannot be drawn again, which becomes its error.
        """
        if not self._wanted:
            return facts
        facts = replace(facts, mergers=(), relink_s={})
        if outcome.error is not None or stop.signal or not outcome.statistics.frames:
            notice("Not relinked: the run did not come to its end.")
            return facts
        started_s = perf_counter()
        mergers = find_mergers(self._collector.tracklets(), self._config.relink)
        found_s = perf_counter()
        self.new_of = {merger.old: merger.new for merger in mergers}
        try:
            if mergers and not self._rename(stop, onlooker):
                notice("Interrupted: all outputs keep the first identities.")
                return facts
            self._rename_reports(reports)
        except MotError as error:
            outcome.error = error
            notice("Not relinked: outputs keep the first identities.")
            return facts
        ended_s = perf_counter()
        spent_s = {"search": found_s - started_s, "rename": ended_s - found_s}
        return replace(facts, mergers=tuple(mergers), relink_s=spent_s)

    def _rename(self, stop: StopRequest, onlooker: Onlooker) -> bool:
        """Rewrite all outputs and let them take their places; whether nobody interrupted it."""
        out = self._config.output
        lines = {"mot": out.save_mot, "csv": out.save_csv, "trace": out.save_trace}
        with Renaming(self.new_of) as renaming:
            for kind, name in lines.items():
                if (path := _ordinary(name)) is not None:
                    renaming.rewrite(path, TEXTS[kind])
            if (path := _ordinary(out.save_embeddings)) is not None:
                renaming.rewrite(path, rename_embeddings)
            if self._journal is not None:
                journal = renaming.rewrite(self._journal, TEXTS["jsonl"])
                if can_redraw(self._config, self._info):
                    video = renaming.reserve(Path(out.output))
                    if not self._redraw(journal, video, stop, onlooker):
                        return False
            renaming.publish()
        if out.save_crops:
            merge_folders(Path(out.save_crops), self.new_of, out.crops_per_id)
        self._tell_what_stays()
        return True

    def _rename_reports(self, reports: Sequence[ReportSink]) -> None:
        for report in reports:
            if self.new_of and self._journal is not None:
                report.rename(self._journal, self.new_of)

    def _redraw(self, journal: Path, video: Path, stop: StopRequest, onlooker: Onlooker) -> bool:
        """Draw the video once more; a signal meanwhile is the run's own."""
        from mot_dinov3.runs.jobs.redraw import redraw

        config = replace(self._config, output=OutputConfig(str(video)), relink=RelinkConfig())
        code = redraw(config, journal, onlooker).exit_code
        stop.signal = {EXIT_SIGINT: SIGINT, EXIT_SIGTERM: SIGTERM}.get(code, 0)
        return not stop.signal

    def _tell_what_stays(self) -> None:
        """Name the outputs that cannot be written again."""
        out = self._config.output
        files = (out.save_jsonl, out.save_mot, out.save_csv, out.save_trace)
        stay = [name for name in files if name and _ordinary(name) is None]
        if not out.no_video and not can_redraw(self._config, self._info):
            stay.append(f"{out.output} ('{self._info.name}' cannot be read again)")
        if stay:
            notice("These keep the first identities: %s.", ", ".join(stay))


def _ordinary(name: str) -> Path | None:
    """The file of an output, None where there is none or it is a pipe or a terminal."""
    return Path(name) if name and not is_stream(Path(name)) else None
