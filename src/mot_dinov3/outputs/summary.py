"""The summary of a run, for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mot_dinov3.runtime.distribution import SUMMARY
from mot_dinov3.wording import counted

MOST_MERGERS = 20
"""Mergers that the summary names one by one."""


def format_summary(stats: Mapping[str, Any]) -> str:
    """The figures of `--stats-json` as a few aligned lines."""
    lines = [_headline(stats), _latency(stats["latency_ms"]), *_stages(stats["stages"])]
    lines += _threads(stats.get("threads", {}))
    follows_rate = bool(stats.get("config", {}).get("target_fps"))
    lines += [_embeddings(stats["embeddings"])]
    lines += _budget(stats["budget"], follows_rate=follows_rate)
    lines += _faults(stats.get("faults", {}), stats["embeddings"])
    lines += _relinked(stats)
    return "\n".join(lines)


def _headline(stats: Mapping[str, Any]) -> str:
    tracks = stats.get("tracks", {})
    target = stats.get("config", {}).get("target_fps", 0)
    aim = f" (target {target:g})" if target else ""
    told = stats.get("resumed_frames", 0)
    again = f" ({told} of them from the journal)" if told else ""
    return (
        f"{counted(stats['frames'], 'frame')}{again} in {stats['wall_s']:.1f} s: "
        f"{stats['fps']:.1f} FPS{aim}, "
        f"{counted(tracks.get('confirmed', 0), 'track')} confirmed of {tracks.get('born', 0)} born"
    )


def _latency(latency: Mapping[str, float]) -> str:
    figures = "  ".join(f"{name} {latency[name]:.1f}" for name in SUMMARY)
    return f"latency ms/frame   {figures}"


def _stages(stages: Mapping[str, Mapping[str, float]]) -> list[str]:
    lines = ["stage        mean ms   p95 ms   share"]
    for name, figures in stages.items():
        lines.append(
            f"  {name:<9}{figures['mean_ms']:>9.2f}{figures['p95_ms']:>9.2f}"
            f"{100 * figures['share']:>7.1f}%"
        )
    return lines


def _threads(shares: Mapping[str, float]) -> list[str]:
    if len(shares) < 2:
        return []
    busy = ", ".join(f"{name} {100 * share:.1f}%" for name, share in shares.items())
    return [f"threads      busy {busy} of the time"]


def _embeddings(counts: Mapping[str, float]) -> str:
    candidates = sum(counts[name] for name in ("computed", "reused", "deferred", "starved"))
    if not candidates:
        return "embeddings   none"
    share = 100 * counts["computed"] / candidates
    text = (
        f"embeddings   computed {counts['computed']} ({counts['critical']} critical, "
        f"{counts['refresh']} refresh), reused {counts['reused']}, deferred {counts['deferred']}"
    )
    if counts["starved"]:
        text += f", starved {counts['starved']}"
    return f"{text}; {counts['per_frame']:.2f} a frame, {share:.1f}% of these"


def _budget(budget: Mapping[str, float], *, follows_rate: bool) -> list[str]:
    if not budget["ms"]:
        return []
    usual = "usually " if follows_rate else ""
    return [
        f"budget       {usual}{budget['ms']:g} ms: "
        f"{budget['used_ms_mean']:.2f} ms used on average, "
        f"{counted(int(budget['frames_over']), 'frame')} over "
        f"(worst by {budget['worst_over_ms']:.1f} ms), "
        f"of which {budget['frames_critical_over']} by critical work alone"
    ]


def _faults(faults: Mapping[str, int], counts: Mapping[str, float]) -> list[str]:
    found = {name.replace("_", " "): number for name, number in faults.items() if number}
    if counts["nonfinite"]:
        found["non-finite vectors"] = int(counts["nonfinite"])
    if not found:
        return []
    return ["faults       " + ", ".join(f"{name}: {number}" for name, number in found.items())]


def _relinked(stats: Mapping[str, Any]) -> list[str]:
    """Who was merged with whom after the run; nothing where nobody asked."""
    if "relinked" not in stats:
        return []
    mergers, spent_s = stats["relinked"], stats["relink_s"]
    time = f" in {sum(spent_s.values()):.1f} s" if spent_s else ""
    merged = counted(len(mergers), "identity merged into another", "identities merged into others")
    lines = [f"relinked     {merged}{time}"]
    lines += map(format_merger, mergers[:MOST_MERGERS])
    more = len(mergers) - MOST_MERGERS
    return [*lines, *([f"  and {more} more: see --stats-json"] if more > 0 else [])]


def format_merger(merger: Mapping[str, Any]) -> str:
    """A line that says who is whom, of the plain values of a `relink.linking.Merger`."""
    return (
        f"  {merger['old']} is {merger['new']}: similarity {merger['similarity']:.2f} to "
        f"{merger['after']}, {merger['gap_s']:.1f} s after it"
    )
