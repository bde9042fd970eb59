"""A job with a run journal: where it lies, how it is opened, and what is left of it in the end."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path

from mot_dinov3.config import TrackConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.io.read.sources import SourceInfo
from mot_dinov3.outputs.sinks.base import FileSink
from mot_dinov3.runs.identities.identified import IdentifiedSystem
from mot_dinov3.runs.identities.run import GalleryRun
from mot_dinov3.runs.loop import RunOutcome
from mot_dinov3.runs.resume.contents import read_contents
from mot_dinov3.runs.resume.identity import RunIdentity
from mot_dinov3.runs.resume.journal import RunJournal
from mot_dinov3.runs.resume.journaled import JournaledSystem, JournalSink
from mot_dinov3.runs.resume.place import JournalPlace, journal_path, select_files
from mot_dinov3.runs.resume.recorder import JournalRecorder
from mot_dinov3.runtime.notices import log_notice
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.systems.base import LoadedSystem, System
from mot_dinov3.values.run_facts import RunFacts
from mot_dinov3.values.stats_json import facts_from_stats, to_stats
from mot_dinov3.wording import counted


def find_journal_place(config: TrackConfig, info: SourceInfo) -> JournalPlace | None:
    """Where the journal of a job lies, None if none is kept.

    Raises:
        UsageError: there is nothing that `--resume` could go on from.
    """
    outputs = list_output_files(config)
    why = ""
    if info.is_live:
        why = f"'{info.name}' is live: what was missed does not come back"
    elif not outputs:
        why = "nothing is written to a file beside which a journal could lie"
    if why and config.resume.resume:
        raise UsageError(f"--resume cannot go on: {why}.", fix="Leave out --resume.")
    if why or not config.resume.journal:
        return None
    place = JournalPlace(outputs, RunIdentity.of(config, info))
    if config.resume.resume:
        place.check_identity()
    return place


def resume_if_possible(config: TrackConfig) -> TrackConfig:
    """The configuration of a job whose process has died, with `--resume` if it left a journal."""
    path = find_journal_file(config)
    kept = path is not None and path.exists()
    return replace(config, resume=replace(config.resume, resume=True)) if kept else config


def remove_end_mark(config: TrackConfig) -> None:
    """Remove the journal of a job that ended well, but not that of one that can be resumed."""
    path = find_journal_file(config)
    with suppress(OSError):
        if path is not None and read_contents(path).ended is not None:
            path.unlink()


def find_journal_file(config: TrackConfig) -> Path | None:
    """The file of the journal, whether it exists or not; None if nothing is written to a file."""
    outputs = list_output_files(config)
    return journal_path(Path(os.path.realpath(outputs[0]))) if outputs else None


def list_output_files(config: TrackConfig) -> list[Path]:
    """Everything that the job writes to files and directories, without pipes and terminals."""
    return select_files(map(Path, config.output.places.values()))


def read_finished_run(config: TrackConfig, place: JournalPlace | None) -> RunFacts | None:
    """The facts of this run if `--resume` is given and it has ended already, else None."""
    stats = place.read_final_stats() if place is not None and config.resume.resume else None
    if stats is None:
        return None
    log_notice("Nothing to resume: this run has ended, and its outputs are there.")
    return facts_from_stats(stats)


def open_journal(
    place: JournalPlace | None,
    config: TrackConfig,
    system: LoadedSystem,
    gallery: GalleryRun | None = None,
) -> AbstractContextManager[RunJournal | None]:
    """The journal of a job, to be entered around its run; a context of None without a place.

    Raises:
        MotError: `--resume` finds the journal of another run, or one that is being written.
    """
    if place is None:
        return nullcontext()
    fingerprint = dict(system.fingerprint)
    if gallery is not None:
        fingerprint["identities of --gallery"] = gallery.fingerprint
    return place.resume(fingerprint) if config.resume.resume else place.begin(fingerprint)


def start_system(
    config: TrackConfig,
    system: LoadedSystem,
    journal: RunJournal | None,
    gallery: GalleryRun | None = None,
) -> System:
    """The system for this clip, with the ids of a gallery and behind its journal, if any."""
    recorder = None if journal is None else JournalRecorder()
    started: System = system.start(config, recorder)
    if gallery is not None:
        started = IdentifiedSystem(started, gallery.resolver)
    if journal is None or recorder is None:
        return started
    return JournaledSystem(started, recorder, journal)


def create_journal_sinks(
    journal: RunJournal | None, tracker: System, sinks: Sequence[FileSink], timer: StageTimer
) -> list[JournalSink]:
    """The sink that writes the journal, none if none is kept.

    Args:
        journal: learns the unfinished files of the sinks, too.
        tracker: the system behind its journal.
        sinks: the outputs of the job.
        timer: shared by all sinks.
    """
    if journal is None or not isinstance(tracker, JournaledSystem):
        return []
    journal.list_partials = lambda: [sink.partial for sink in sinks if sink.partial is not None]
    return [JournalSink(tracker, journal, timer)]


def close_journal(
    journal: RunJournal | None, config: TrackConfig, outcome: RunOutcome, facts: RunFacts
) -> None:
    """Remove the journal of a run that ended well; for any other one say how to go on.

    With `--resume`, and for one of many videos, a mark says that the run has ended, so that the
    same command may be repeated in vain.

    Args:
        journal: of the run, None if none is kept.
        config: all stages.
        outcome: how the run ended.
        facts: of the run.
    """
    if journal is None:
        return
    if outcome.error is None and not outcome.stopped_by and outcome.statistics.frames:
        journal.finish(to_stats(facts), mark=config.resume.resume or config.resume.one_of_many)
    elif journal.frames:
        log_notice(
            "Stopped after %s; the same command with --resume goes on from there.",
            counted(journal.frames, "frame"),
        )
