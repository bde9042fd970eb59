"""What was counted in a run, in the words of the summary and the report."""

from __future__ import annotations

from collections.abc import Mapping

from mot_dinov3.values.run_facts import LineFacts, ZoneFacts
from mot_dinov3.wording import counted


def describe_classes(numbers: Mapping[str, int]) -> str:
    """`person 3, car 1`; empty for nothing."""
    return ", ".join(f"{name} {number:,}" for name, number in numbers.items())


def describe_directions(line: LineFacts) -> str:
    """The crossings of a line each way by class: `in: person 3, car 1; out: person 2`."""
    ways = {way: describe_classes(numbers) for way, numbers in line.items()}
    return "; ".join(f"{way}: {words}" for way, words in ways.items() if words)


def count_crossings(line: LineFacts) -> tuple[int, int]:
    """How often a line was crossed in and out."""
    n_in, n_out = (sum(line.get(way, {}).values()) for way in ("in", "out"))
    return n_in, n_out


def describe_stays(zone: ZoneFacts) -> str:
    """How many tracks were in a zone, at once and in all, and how long they stayed."""
    stays = {track: s for tracks in zone.seconds.values() for track, s in tracks.items()}
    if not stays:
        return ""
    longest = max(stays, key=lambda track: stays[track])
    identities = counted(len(stays), "identity", "identities")
    mean_s = sum(stays.values()) / len(stays)
    return (
        f"{identities}, at most {zone.most} at once; {mean_s:.1f} s each on average, "
        f"{stays[longest]:.1f} s at most (ID {longest})"
    )
