"""The facts of a run as the object of `--stats-json`, and back.

The names of the object and their order are stable. It holds times and rates with three digits,
shares and similarities with four.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, TypeVar

from mot_dinov3.values.run_facts import (
    AppearanceFacts,
    BudgetFacts,
    DeviceFacts,
    EmbeddingFacts,
    Recognition,
    RunFacts,
    SearchFacts,
    SourceFacts,
    Spread,
    StageFacts,
    SystemCounts,
    TrackMerge,
    ZoneFacts,
)

Part = TypeVar("Part")

DIGITS, SHARE_DIGITS = 3, 4
SHARES = ("share", "similarity", "threads")
"""Names of what is written with `SHARE_DIGITS`."""
ONLY_WITH_LIMIT = ("frames_critical_over", "fitted_frames_over_1_1", "used_ms_mean")
"""Names of the budget that are left out where no limit was set."""
OWN_NAMES = {item.name for item in fields(RunFacts)} | {"tracks", "relinked"}
"""Names at the top of the object; any other text there is the title of a model, by its role."""
MOST_NUMBER = 1e12
"""A number beyond this is damage to a file, not a figure."""


def to_stats(facts: RunFacts) -> dict[str, Any]:
    """The object of `--stats-json`; what is None is left out, so is the name of its part."""
    out: dict[str, Any] = {}
    for item in fields(facts):
        value = getattr(facts, item.name)
        if isinstance(value, SystemCounts):
            plain = to_plain(value)
            out["tracks"] = {"born": plain.pop("initiated"), **plain}
        elif item.name == "models":
            out |= value or {}
        elif item.name == "config":
            out["config"] = None if value is None else dict(value)
        elif item.name == "merges":
            out["relinked"] = to_plain(value)
        else:
            out[item.name] = to_plain(value, item.name)
    if facts.budget is not None and not facts.budget.ms:
        out["budget"] = {k: v for k, v in out["budget"].items() if k not in ONLY_WITH_LIMIT}
    return {name: value for name, value in out.items() if value is not None}


def to_plain(value: object, name: str = "") -> Any:  # noqa: ANN401 - as many kinds as JSON has
    """A part of the facts as what JSON can hold: numbers rounded, fields that are None left out.

    Args:
        value: a part, a mapping or a tuple of parts, or a plain value.
        name: what the value is called, which says how many digits it has.
    """
    if isinstance(value, float):
        return round(value, SHARE_DIGITS if name in SHARES else DIGITS)
    if isinstance(value, tuple):
        return [to_plain(one, name) for one in value]
    if isinstance(value, Mapping):
        return {key: to_plain(one, name) for key, one in value.items()}
    if is_dataclass(value):
        known = {item.name: getattr(value, item.name) for item in fields(value)}
        return {key: to_plain(one, key) for key, one in known.items() if one is not None}
    return value


def facts_from_stats(stats: Mapping[str, Any]) -> RunFacts:
    """The facts that the object of a `--stats-json` file holds.

    The file may be of an older run, or damaged: what is missing or of another kind is None, or
    the default of its field within a part that is there otherwise.
    """
    tracks = _mapping(stats.get("tracks")) or {}
    relinked = stats.get("relinked")
    merges = [_part(TrackMerge, row) for row in relinked] if isinstance(relinked, list) else None
    rows = stats.get("recognised")
    recognised = [_part(Recognition, row) for row in rows] if isinstance(rows, list) else None
    return RunFacts(
        frames=_whole(stats.get("frames")) or 0,
        wall_s=_number(stats.get("wall_s")),
        fps=_number(stats.get("fps")),
        latency_ms=_part(Spread, stats.get("latency_ms")),
        stages=_entries(stats.get("stages"), lambda row: _part(StageFacts, row)),
        embeddings=_part(EmbeddingFacts, stats.get("embeddings")),
        budget=_part(BudgetFacts, stats.get("budget")),
        search=_part(SearchFacts, stats.get("search")),
        detections=_whole(stats.get("detections")),
        counts=_part(SystemCounts, {"initiated": tracks.get("born"), **tracks}),
        identities=_entries(stats.get("identities"), _whole),
        lines=_entries(stats.get("lines"), _class_counts),
        zones=_entries(stats.get("zones"), lambda row: _part(ZoneFacts, row)),
        faults=_entries(stats.get("faults"), _whole),
        stopped_by_signal=_whole(stats.get("stopped_by_signal")),
        stopped_by_viewer=_truth(stats.get("stopped_by_viewer")),
        warm_up_s=_number(stats.get("warm_up_s")),
        frame_size=_size(stats.get("frame_size")),
        source=_part(SourceFacts, stats.get("source")),
        models=_models(stats),
        config=_mapping(stats.get("config")),
        versions=_entries(stats.get("versions"), str),
        device=_part(DeviceFacts, stats.get("device")),
        encoder=_text(stats.get("encoder")),
        threads=_entries(stats.get("threads"), _number),
        resumed_frames=_whole(stats.get("resumed_frames")),
        repeatable=_truth(stats.get("repeatable")),
        merges=None if merges is None else tuple(one for one in merges if one is not None),
        relink_s=_entries(stats.get("relink_s"), _number),
        recognised=None if recognised is None else tuple(one for one in recognised if one),
        new_identities=_whole(stats.get("new_identities")),
    )


def _part(kind: type[Part], value: object) -> Part | None:
    """A part from a mapping; None for another kind of value, or where it lacks what has no default.

    Args:
        kind: a class of `values/run_facts.py`, whose fields are read by their names and types.
        value: what the file has in its place.
    """
    known = _mapping(value)
    if known is None:
        return None
    found = {}
    for item in fields(kind):  # type: ignore[arg-type] # every class of that file is a dataclass
        read = READERS[str(item.type)](known.get(item.name))
        if read is not None:
            found[item.name] = read
        elif item.default is MISSING:
            return None
    return kind(**found)


def _models(stats: Mapping[str, Any]) -> dict[str, str] | None:
    more = {name: value for name, value in stats.items() if name not in OWN_NAMES}
    return {name: value for name, value in more.items() if isinstance(value, str)} or None


def _entries(value: object, read: Callable[[object], Part | None]) -> dict[str, Part] | None:
    """A mapping with what `read` makes of its values; entries that it cannot read are left out."""
    known = _mapping(value)
    if known is None:
        return None
    found = {name: read(one) for name, one in known.items()}
    return {name: one for name, one in found.items() if one is not None}


def _class_counts(value: object) -> dict[str, dict[str, int]] | None:
    """Something by class name, for some words; None for anything else."""
    return _entries(value, lambda row: _entries(row, _whole))


def _mapping(value: object) -> dict[str, Any] | None:
    return {str(k): v for k, v in value.items()} if isinstance(value, Mapping) else None


def _number(value: object) -> float | None:
    """A finite number, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < MOST_NUMBER and math.isfinite(value) else None


def _whole(value: object) -> int | None:
    number = _number(value)
    return None if number is None else int(number)


def _truth(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _size(value: object) -> tuple[int, int] | None:
    if not isinstance(value, list) or len(value) != 2:
        return None
    width, height = map(_whole, value)
    return None if width is None or height is None else (width, height)


READERS: dict[str, Callable[[object], object]] = {
    "int": _whole,
    "int | None": _whole,
    "float": _number,
    "float | None": _number,
    "bool": _truth,
    "str": _text,
    "AppearanceFacts | None": lambda value: _part(AppearanceFacts, value),
    "Mapping[str, int]": lambda value: _entries(value, _whole),
    "Mapping[str, Mapping[str, float]]": lambda value: _entries(
        value, lambda row: _entries(row, _number)
    ),
}
"""Type of a field -> what reads it."""
