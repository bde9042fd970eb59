"""The cards at the top of a page: a few figures of the run in words."""

from __future__ import annotations

from dataclasses import dataclass

from mot_dinov3.outputs.count_words import (
    count_crossings,
    describe_classes,
    describe_directions,
    describe_stays,
)
from mot_dinov3.outputs.report.figures import ReportFigures
from mot_dinov3.outputs.summary import explain_appearance
from mot_dinov3.values.run_facts import AppearanceFacts
from mot_dinov3.wording import counted, form_of

UNKNOWN = "\N{EN DASH}"
GOOD, BAD, PLAIN = "good", "bad", "plain"
MOST_PLACES = 8
"""Lines and zones that have a card; the charts show all."""


@dataclass(frozen=True, slots=True)
class Card:
    """One figure of the run.

    Attributes:
        title: says what the figure is.
        value: as text.
        unit: "" for none.
        note: puts the value into context.
        share: from 0 to 1, drawn as a bar; None for no bar.
        tone: "good", "bad" or "plain".
    """

    title: str
    value: str
    unit: str
    note: str
    tone: str = PLAIN
    share: float | None = None


def build_cards(known: ReportFigures, suspects: int) -> list[Card]:
    """The cards of a run, in reading order."""
    return [
        _frames(known),
        _speed(known),
        _latency(known),
        _overshoots(known),
        _embeddings(known),
        *([_appearance(known.appearance)] if known.appearance is not None else []),
        _tracks(known, suspects),
        *_places(known)[:MOST_PLACES],
        _faults(known),
    ]


def _frames(known: ReportFigures) -> Card:
    note = f"{known.seconds:.1f} s of video" if known.seconds else "length not known"
    return Card("Frames", f"{known.frames:,}", "", note)


def _speed(known: ReportFigures) -> Card:
    pace = f"source: {known.source_fps:g} FPS" if known.source_fps else "source's rate not known"
    if known.fps is None:
        return Card("Speed", UNKNOWN, "FPS", f"{pace}; the run's is in its stats JSON")
    if not known.source_fps:
        return Card("Speed", f"{known.fps:.1f}", "FPS", pace)
    ratio = known.fps / known.source_fps
    word = f"{pace}, {ratio:.2g}x real time" if ratio < 10 else f"{pace}, {ratio:.0f}x real time"
    return Card("Speed", f"{known.fps:.1f}", "FPS", word, GOOD if ratio >= 1 else BAD)


def _latency(known: ReportFigures) -> Card:
    latency = known.latency_ms
    if latency is None:
        return Card("Latency", UNKNOWN, "ms", "not written down by this run")
    rest = f"p95 {latency.p95:.1f}, p99 {latency.p99:.1f}"
    return Card("Latency, median", f"{latency.p50:.1f}", "ms", rest)


def _overshoots(known: ReportFigures) -> Card:
    budget = known.budget
    if budget is None:
        return Card("Over budget", UNKNOWN, "frames", "not known without frames or figures")
    if not budget.ms:
        return Card("Over budget", UNKNOWN, "frames", "no embedding budget was set")
    over = budget.frames_over
    note = f"budget {budget.ms:.3g} ms"
    if over:
        note += f"; worst by {budget.worst_over_ms:.1f} ms"
    if budget.frames_critical_over:
        note += f"; {budget.frames_critical_over} by critical work alone"
    share = over / known.frames if known.frames else None
    tone = BAD if over else GOOD
    return Card("Over budget", f"{over:,}", form_of(over, "frame"), note, tone, share)


def _embeddings(known: ReportFigures) -> Card:
    counts = known.embeddings
    if counts is None:
        return Card("Embeddings", UNKNOWN, "computed", "not known without frames or figures")
    note = f"{counts.reused:,} reused"
    if counts.deferred:
        note += f", {counts.deferred:,} deferred"
    if counts.starved:
        note += f", {counts.starved:,} starved"
    if counts.without_track:
        note += f"; {counts.without_track:,} computed without a track"
    if known.share is not None:
        note += f"; {100 * known.share:.1f} % of these"
    return Card("Embeddings", f"{counts.computed:,}", "computed", note, share=known.share)


def _appearance(found: AppearanceFacts) -> Card:
    """How well the embedder tells the objects of this run apart."""
    if found.same is None or found.auc is None:
        value, same = UNKNOWN, "no object met twice"
    else:
        value, same = f"{found.auc:.3f}", f"the same object {found.same:.3f}"
    note = f"{same}, others {found.stranger:.3f} (median cosine)"
    if found.returns:
        note += f"; lost tracks return from {found.gate:.3f} on"
    tone = BAD if explain_appearance(found) else PLAIN
    return Card("Appearance", value, "AUC", note, tone)


def _tracks(known: ReportFigures, suspects: int) -> Card:
    if known.confirmed is None:
        return Card("Tracks", UNKNOWN, "confirmed", "not known without frames or figures")
    words = [f"{known.initiated:,} born"] if known.initiated is not None else []
    words += [describe_classes(known.identities)] if known.identities else []
    if suspects:
        words.append(counted(suspects, "suspected switch", "suspected switches"))
    return Card("Tracks", f"{known.confirmed:,}", "confirmed", ", ".join(words))


def _places(known: ReportFigures) -> list[Card]:
    """What was counted at every line and zone."""
    out = []
    for name, line in known.lines.items():
        n_in, n_out = count_crossings(line)
        note = describe_directions(line) or "never crossed"
        out.append(Card(f"Line {name}", f"{n_in:,}", f"in, {n_out:,} out", note))
    for name, zone in known.zones.items():
        note = describe_stays(zone) or "never entered"
        out.append(Card(f"Zone {name}", f"{sum(zone.entered.values()):,}", "entered", note))
    return out


def _faults(known: ReportFigures) -> Card:
    if known.faults is None:
        return Card("Faults", UNKNOWN, "", "not known without the stats JSON")
    named = ", ".join(f"{kind.replace('_', ' ')}: {n:,}" for kind, n in known.faults.items())
    number = sum(known.faults.values())
    tone = BAD if number else GOOD
    return Card("Faults", f"{number:,}", "", named or "the input was sound", tone)
