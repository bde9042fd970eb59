"""A job with a journal: where it is kept, what it hears, and what is left of it in the end."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from mot_dinov3.config import TrackConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.io.read.sources import SourceInfo
from mot_dinov3.outputs.sinks.base import FileSink
from mot_dinov3.runs.jobs.outputs import output_places
from mot_dinov3.runs.loop import RunOutcome, VideoTracker
from mot_dinov3.runs.resume.contents import look_into
from mot_dinov3.runs.resume.identity import Identity
from mot_dinov3.runs.resume.journal import RunJournal
from mot_dinov3.runs.resume.place import JournalPlace, journal_path, ordinary
from mot_dinov3.runs.resume.tracker import JournaledTracker, JournalSink
from mot_dinov3.runs.resume.witness import Witness, heard, listen
from mot_dinov3.runtime.notices import notice
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.systems.assembly import assemble
from mot_dinov3.systems.modular import Models, ModularTracker
from mot_dinov3.wording import counted


def journal_place(config: TrackConfig, info: SourceInfo) -> JournalPlace | None:
    """Where the journal of a job lies, None where none is kept.

    Raises:
        UsageError: there is nothing that `--resume` could go on from.
    """
    outputs = ordinary(map(Path, output_places(config).values()))
    why = ""
    if info.is_live:
        why = f"'{info.name}' is live: what was missed does not come back"
    elif not outputs:
        why = "nothing is written to a file beside which a journal could lie"
    if why and config.resume.resume:
        raise UsageError(f"--resume cannot go on: {why}.", fix="Leave out --resume.")
    if why or not config.resume.journal:
        return None
    place = JournalPlace(outputs, Identity.of(config, info))
    if config.resume.resume:
        place.require_fit()
    return place


def second_try(config: TrackConfig) -> TrackConfig:
    """The configuration of a job that a process has died of: it goes on if there is a journal."""
    outputs = ordinary(map(Path, output_places(config).values()))
    kept = bool(outputs) and journal_path(Path(os.path.realpath(outputs[0]))).exists()
    return replace(config, resume=replace(config.resume, resume=True)) if kept else config


def forget_end(config: TrackConfig) -> None:
    """Remove the mark of a job that ended well, but no journal of one that did not."""
    for output in ordinary(map(Path, output_places(config).values()))[:1]:
        path = journal_path(Path(os.path.realpath(output)))
        with suppress(OSError):
            if look_into(path).ended is not None:
                path.unlink()


def done_before(config: TrackConfig, place: JournalPlace | None) -> dict[str, Any] | None:
    """The figures of a run that has ended already, where `--resume` is asked to go on with it."""
    stats = place.ended() if place is not None and config.resume.resume else None
    if stats is None:
        return None
    notice("Nothing to resume: this run has ended, and its outputs are there.")
    return dict(stats)


def journal_of(
    place: JournalPlace | None, config: TrackConfig, models: Models
) -> AbstractContextManager[RunJournal | None]:
    """The journal of a job, to be entered around its run.

    Raises:
        MotError: `--resume` finds the journal of another run, or one that is being written.
    """
    if place is None:
        return nullcontext()
    titles = titles_of(models)
    return place.resume(titles) if config.resume.resume else place.begin(titles)


def titles_of(models: Models) -> dict[str, str]:
    """What the models are, in words and by the fingerprints of their weights.

    Raises:
        InputError: weights cannot be read any more.
    """
    embedder = models.embedder
    return {
        "detector": models.detector.title,
        "weights of the detector": models.detector.fingerprint,
        "boxes of --det": models.detector.repeated,
        "embedder": embedder.title if embedder else "none",
        "weights of the embedder": embedder.fingerprint if embedder else "",
    }


def wired(
    config: TrackConfig, models: Models, journal: RunJournal | None
) -> tuple[ModularTracker, VideoTracker]:
    """A new tracker, and what the loop runs: the same, behind its journal where there is one."""
    if journal is None:
        tracker = assemble(config, models)
        return tracker, tracker
    witness = Witness()
    tracker = assemble(config, heard(models, witness), clock=witness.clock)
    listen(tracker, witness)
    return tracker, JournaledTracker(tracker, witness, journal)


def journal_sinks(
    journal: RunJournal | None, runs: VideoTracker, sinks: Sequence[FileSink], timer: StageTimer
) -> list[JournalSink]:
    """Who writes the journal, before all other `sinks`, whose unfinished files it remembers."""
    if journal is None or not isinstance(runs, JournaledTracker):
        return []
    journal.partials = lambda: [sink.partial for sink in sinks if sink.partial is not None]
    return [JournalSink(runs, journal, timer)]


def settle(
    journal: RunJournal | None, config: TrackConfig, outcome: RunOutcome, stats: Mapping[str, Any]
) -> None:
    """Remove the journal of a run that ended well; of any other one say how to go on.

    With `--resume`, and for one of many videos, a mark is left that says so: the command may be
    repeated in vain.
    """
    if journal is None:
        return
    if outcome.error is None and not outcome.stopped_by and outcome.statistics.frames:
        journal.finish(stats, mark=config.resume.resume or config.resume.one_of_many)
    elif journal.frames:
        notice("Stopped after %s; the same command with --resume goes on from there.",
               counted(journal.frames, "frame"))  # fmt: skip
