"""The summary of a run, for people."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from mot_dinov3.config import BACKEND_TITLES
from mot_dinov3.outputs.count_words import (
    count_crossings,
    describe_classes,
    describe_directions,
    describe_stays,
)
from mot_dinov3.values.run_facts import (
    AppearanceFacts,
    BudgetFacts,
    EmbeddingFacts,
    Recognition,
    RunFacts,
    SearchFacts,
    Spread,
    StageFacts,
    TrackMerge,
)
from mot_dinov3.wording import counted

NOT_REPEATABLE = (
    "not repeatable: this budget follows measured times, that of --embed-budget-crops does not"
)
LEAST_LOAN = 0.005
"""Share of a camera's own budget by which its usual one differs where others have lent to it."""
NUMBERS = re.compile(rf"(?:{'|'.join(BACKEND_TITLES.values())}) (?:fp32|bf16|fp16|int8)")
DEVICE = re.compile(r"\b(?:cpu|mps|cuda:\d+)\b")
"""What the title of a model says of its backend and precision, and of its device."""
MOST_MERGERS = 20
"""Mergers that the summary names one by one."""


def format_summary(facts: RunFacts) -> str:
    """The facts of a run as a few aligned lines; what a system does not have has no line."""
    lines = [_headline(facts)]
    if facts.latency_ms is not None:
        lines.append(_latency(facts.latency_ms))
    if facts.stages is not None:
        lines += _stages(facts.stages)
    lines += _threads(facts.threads or {})
    lines += _device(facts)
    lines += _search(facts.search, facts.frames)
    if facts.embeddings is not None:
        lines += _embeddings(facts.embeddings, facts.detections or 0)
        lines += _left_out(facts)
    if facts.counts is not None and facts.counts.appearance is not None:
        lines += _appearance(facts.counts.appearance)
    if facts.budget is not None and facts.budget.ms:
        lines.append(_budget(facts.budget, facts.config or {}))
    if facts.repeatable is False:
        lines.append(f"             {NOT_REPEATABLE}")
    lines += _counts(facts)
    lines += _faults(facts)
    if facts.merges is not None:
        lines += _mergers(facts.merges, facts.relink_s or {})
    lines += _recognised(facts.recognised, facts.new_identities or 0)
    return "\n".join(lines)


def _target_fps(facts: RunFacts) -> float:
    return float((facts.config or {}).get("target_fps", 0.0))


def _headline(facts: RunFacts) -> str:
    target_fps, resumed, counts = _target_fps(facts), facts.resumed_frames, facts.counts
    aim = f" (target {target_fps:g})" if target_fps else ""
    again = f" ({resumed} of them from the journal)" if resumed else ""
    initiated, confirmed = (counts.initiated, counts.confirmed) if counts else (0, 0)
    return (
        f"{counted(facts.frames, 'frame')}{again} in {facts.wall_s or 0:.1f} s: "
        f"{facts.fps or 0:.1f} FPS{aim}, "
        f"{counted(confirmed, 'track')} confirmed of {initiated} born"
    )


def _latency(latency_ms: Spread) -> str:
    figures = "  ".join(f"{name} {ms:.1f}" for name, ms in asdict(latency_ms).items())
    return f"latency ms/frame   {figures}"


def _stages(stages: Mapping[str, StageFacts]) -> list[str]:
    lines = ["stage        mean ms   p95 ms   share"]
    for name, stage in stages.items():
        lines.append(
            f"  {name:<9}{stage.mean_ms:>9.2f}{stage.p95_ms:>9.2f}{100 * stage.share:>7.1f}%"
        )
    return lines


def _threads(shares: Mapping[str, float]) -> list[str]:
    if len(shares) < 2:
        return []
    busy = ", ".join(f"{name} {100 * share:.1f}%" for name, share in shares.items())
    return [f"threads      busy {busy} of the time"]


def _device(facts: RunFacts) -> list[str]:
    """Where the models ran, what each of them computed in, and what encoded the video."""
    if facts.device is None or not facts.device.name:
        return []
    parts = [facts.device.name]
    for role, title in (facts.models or {}).items():
        numbers, place = NUMBERS.search(title), DEVICE.search(title)
        if numbers:
            away = place is not None and not facts.device.name.startswith(place[0])
            parts.append(f"{role} {numbers[0]}" + (f" on {place[0]}" if place and away else ""))
    if facts.encoder:
        parts.append(f"video {facts.encoder}")
    return [f"device       {'; '.join(parts)}"]


def _search(found: SearchFacts | None, frames: int) -> list[str]:
    """What was searched in place of detections."""
    if found is None:
        return []
    share = _percent(found.detected_frames / max(frames, 1))
    return [
        f"search       detected in {found.detected_frames} of {counted(frames, 'frame')} "
        f"({share}), {counted(found.searched_boxes, 'box', 'boxes')} searched"
    ]


def _embeddings(known: EmbeddingFacts, detections: int) -> list[str]:
    """What became of the embedding of every detection; the counts add up to all of them."""
    candidates = known.computed + known.reused + known.deferred + known.starved
    if not candidates:
        return ["embeddings   none"]
    lone = f", {known.without_track} without a track" if known.without_track else ""
    rest = {
        "reused": known.reused,
        "deferred": known.deferred,
        "starved": known.starved,
        "none": max(detections - candidates, 0),
    }
    left = [f"{name} {number}" for name, number in rest.items() if number]
    return [
        f"embeddings   {known.computed} of {counted(candidates, 'crop')} embedded "
        f"({_percent(known.computed / candidates)}), {known.per_frame:.2f} a frame",
        f"             {known.critical} critical, {known.refresh} refresh{lone}"
        + (f"; {', '.join(left)}" if left else ""),
    ]


def _percent(share: float) -> str:
    """A share without a decimal, but for one that would read as nothing or as all."""
    rounded = f"{100 * share:.0f}"
    exact = 0 < share < 1 and rounded in ("0", "100")
    return f"{100 * share:.1f} %" if exact else f"{rounded} %"


def _left_out(facts: RunFacts) -> list[str]:
    """What `--embed-all` does not embed although it says all."""
    config, known, detections = facts.config or {}, facts.embeddings, facts.detections or 0
    if known is None or not config.get("embed_all"):
        return []
    weak = detections - known.computed - known.starved
    if weak <= 0 or not known.computed:
        return []
    below = counted(weak, "detection")
    return [f"             --embed-all leaves out {below} below --conf {config.get('conf', 0):g}"]


def _appearance(found: AppearanceFacts) -> list[str]:
    """What the embedder was found to be worth, and what to do where that is too little."""
    described, problem = describe_appearance(found), explain_appearance(found)
    return [f"appearance   {described}", *([f"             {problem}"] if problem else [])]


def describe_appearance(found: AppearanceFacts) -> str:
    """How alike crops are of one object and of different ones, and what follows for lost tracks."""
    others = f"others {found.stranger:.3f} (median cosine)"
    if found.same is None or found.auc is None:
        text = f"{others}, no object met twice"
    else:
        text = f"the same object {found.same:.3f}, {others}, AUC {found.auc:.3f}"
    return f"{text}; lost tracks return from {found.gate:.3f} on" if found.returns else text


def explain_appearance(found: AppearanceFacts) -> str:
    """A sentence and a remedy where appearance was not used for all it is for; else empty."""
    if found.returns and found.used:
        return ""
    fix = "Take another embedder, or a number for --reid-similarity."
    if found.used:
        few = "Too few crops show the same object some time apart to trust this embedder"
        return f"{few}, so lost tracks do not return by appearance. {fix}"
    if found.returns:
        blind = "The embedder cannot tell these objects apart"
        return f"{blind}, so appearance counts for the return of lost tracks alone. {fix}"
    weak = "Some time later the embedder recognises hardly any object"
    return f"{weak}, so appearance is not used. {fix}"


def _budget(budget: BudgetFacts, config: Mapping[str, Any]) -> str:
    """What frames might take and took; with several cameras, what was lent to this one counts."""
    own_ms = float(config.get("embed_budget_ms", 0.0))
    lent = own_ms > 0 and abs(budget.ms - own_ms) > LEAST_LOAN * own_ms
    usual = "usually " if lent or config.get("target_fps") else ""
    loans = f" ({own_ms:g} of its own, the rest from other cameras)" if lent else ""
    return (
        f"budget       {usual}{budget.ms:.4g} ms{loans}: "
        f"{budget.used_ms_mean:.2f} ms used on average, "
        f"{counted(budget.frames_over, 'frame')} over "
        f"(worst by {budget.worst_over_ms:.1f} ms), "
        f"of which {budget.frames_critical_over} by critical work alone"
    )


def _counts(facts: RunFacts) -> list[str]:
    """The identities by class, and what was counted at every line and zone."""
    out = []
    if facts.identities:
        out.append(f"identities   {describe_classes(facts.identities)}")
    for name, line in (facts.lines or {}).items():
        n_in, n_out = count_crossings(line)
        classes = describe_directions(line)
        out.append(
            f"line         {name}: in {n_in}, out {n_out}" + (f" ({classes})" * bool(classes))
        )
    for name, zone in (facts.zones or {}).items():
        entered, left = describe_classes(zone.entered), sum(zone.left.values())
        stays = describe_stays(zone)
        visits = f"{sum(zone.entered.values())} entered" + (f" ({entered})" * bool(entered))
        out.append(f"zone         {name}: {visits}, {left} left" + (f"; {stays}" * bool(stays)))
    return out


def _faults(facts: RunFacts) -> list[str]:
    found = {
        name.replace("_", " "): number for name, number in (facts.faults or {}).items() if number
    }
    if facts.embeddings is not None and facts.embeddings.nonfinite:
        found["non-finite vectors"] = facts.embeddings.nonfinite
    if not found:
        return []
    return ["faults       " + ", ".join(f"{name}: {number}" for name, number in found.items())]


def _mergers(merges: tuple[TrackMerge, ...], spent_s: Mapping[str, float]) -> list[str]:
    """Which identities were merged after the run."""
    time = f" in {sum(spent_s.values()):.1f} s" if spent_s else ""
    merged = counted(len(merges), "identity merged into another", "identities merged into others")
    lines = [f"relinked     {merged}{time}"]
    lines += map(format_merge, merges[:MOST_MERGERS])
    more = len(merges) - MOST_MERGERS
    return [*lines, *([f"  and {more} more: see --stats-json"] if more > 0 else [])]


def _recognised(found: tuple[Recognition, ...] | None, added: int) -> list[str]:
    """Which tracks are identities that were known before; nothing without a gallery."""
    if found is None:
        return []
    number = counted(len(found), "track recognised", "tracks recognised")
    lines = [f"gallery      {number}, {counted(added, 'new identity', 'new identities')}"]
    for one in found[:MOST_MERGERS]:
        name = f" {one.name}" if one.name else ""
        lines.append(f"  {one.track} is {one.identity}{name}: similarity {one.similarity:.2f}")
    more = len(found) - MOST_MERGERS
    return [*lines, *([f"  and {more} more: see --stats-json"] if more > 0 else [])]


def format_merge(merge: TrackMerge) -> str:
    """A line that says which identity became which."""
    return (
        f"  {merge.old} is {merge.new}: similarity {merge.similarity:.2f} to "
        f"{merge.after}, {merge.gap_s:.1f} s after it"
    )
