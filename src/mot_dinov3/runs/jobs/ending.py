"""The end of a job: tracks merged, figures and report written, the journal closed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from mot_dinov3.config import TrackConfig
from mot_dinov3.errors import EXIT_PARTIAL, InputError, MotError
from mot_dinov3.io.read.sources import FrameReader
from mot_dinov3.outputs.sinks.base import FileSink
from mot_dinov3.runs.jobs.base import JobObserver
from mot_dinov3.runs.jobs.figures import collect_facts, compute_thread_shares, write_stats
from mot_dinov3.runs.jobs.parts import JobParts
from mot_dinov3.runs.jobs.resuming import close_journal
from mot_dinov3.runs.loop import RunOutcome, StopRequest
from mot_dinov3.values.run_facts import RunFacts

if TYPE_CHECKING:
    from mot_dinov3.outputs.report.sink import ReportSink

log = logging.getLogger("mot_dinov3")

DAMAGED = (
    "'%s' is damaged or cut short: what could be read was tracked and kept.\n"
    "  Copy or record it again to track the rest."
)
LOST = (
    "'%s' was lost and did not come back: what came before was tracked and kept.\n"
    "  Give --reconnect more tries, or --read-timeout more seconds, to bridge longer gaps."
)


def finish_job(
    config: TrackConfig,
    parts: JobParts,
    reader: FrameReader,
    outcome: RunOutcome,
    stop: StopRequest,
    observer: JobObserver,
) -> RunFacts:
    """Merge tracks, write figures and report, close the journal, and return the facts of the run.

    A failure here is kept in `outcome`, like one of the run.

    Args:
        config: all stages.
        parts: of the job; all its frames are tracked.
        reader: of the source.
        outcome: how the run ended.
        stop: a signal that comes now ends the job early.
        observer: is called with the facts.
    """
    facts = replace(
        collect_facts(config, reader, parts.tracker, outcome),
        encoder=next(filter(None, (sink.encoder for sink in parts.files)), None),
        threads=compute_thread_shares(outcome, parts.files),
        resumed_frames=parts.journal.resumed_frames if parts.journal else 0,
    )
    facts = parts.relinker.relink(facts, outcome, stop, observer, parts.reports)
    facts = add_counts(facts, parts, outcome)
    if outcome.statistics.frames:
        publish(config.output.stats_json, parts.reports, facts, outcome)
        observer.on_summary(facts)
    outcome.stopped_by = stop.signal
    close_journal(parts.journal, config, outcome, facts)
    return facts


def add_counts(facts: RunFacts, parts: JobParts, outcome: RunOutcome) -> RunFacts:
    """The facts with the identities of the run, and with what was counted at lines and zones.

    Args:
        facts: of the run; tracks that were merged count as one.
        parts: of the job.
        outcome: how the run ended.
    """
    names, new_of = parts.tracker.names, parts.relinker.new_of
    facts = replace(facts, identities=outcome.statistics.identities.count(names, new_of))
    if parts.counting is None:
        return facts
    counter = parts.relinker.count_again() if new_of else None
    counter = counter or parts.counting.counter
    return replace(
        facts,
        lines=counter.describe_lines(names) or None,
        zones=counter.describe_zones(names) or None,
    )


def publish(
    stats_json: str, reports: Sequence[ReportSink], facts: RunFacts, outcome: RunOutcome
) -> None:
    """Write the figures and the report.

    Args:
        stats_json: the file of the figures, "" for none.
        reports: the report, none or one.
        facts: of the run.
        outcome: takes a failure as the run's error, unless it had one before.
    """
    writes = [partial(report.publish, facts) for report in reports]
    if stats_json:
        writes.insert(0, partial(write_stats, stats_json, facts))
    for write in writes:
        try:
            write()
        except MotError as error:
            outcome.error = outcome.error or error


def choose_exit_code(outcome: RunOutcome, reader: FrameReader) -> int:
    """The exit code of a job whose outputs are written.

    Raises:
        MotError: the run broke off, or there was nothing to track.
    """
    if outcome.error is not None:
        raise outcome.error
    if not (outcome.statistics.frames or outcome.stopped_by or outcome.stopped_by_viewer):
        raise InputError(
            f"No frame of '{reader.info.name}' was left to track.",
            fix="Check --start-frame and --end-frame, and that the file plays elsewhere.",
        )
    code = outcome.exit_code(partial=reader.partial)
    if code == EXIT_PARTIAL:
        log.error(LOST if reader.info.is_live else DAMAGED, reader.info.name)
    return code


def list_written(config: TrackConfig, outcome: RunOutcome, sinks: Sequence[FileSink]) -> list[str]:
    """The outputs that exist now."""
    if not outcome.statistics.frames:
        return []
    more = (config.output.stats_json, config.output.report_file)
    return [*(sink.path for sink in sinks), *filter(None, more)]
