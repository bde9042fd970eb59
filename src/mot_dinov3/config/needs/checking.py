"""Holds the table of needs against what a user gave."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from mot_dinov3.config.fields import flag_fields
from mot_dinov3.config.flat import flag_of, key_of, stage_of, stages
from mot_dinov3.config.needs.base import Need, Situation
from mot_dinov3.config.needs.table import NEEDS, RUN_NEEDS, VIDEO_NEEDS
from mot_dinov3.config.tracking.track import TrackConfig
from mot_dinov3.config.tracking.tracker import TrackerConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.wording import form_of


def check_needs(
    config: TrackConfig,
    typed: Collection[str],
    below: Collection[str] = (),
    *,
    live: bool = False,
) -> list[str]:
    """Refuse flags that do nothing where the user surely erred, and say which others do nothing.

    What a file or a variable sets is not refused but said where a flag on the command line makes
    it idle: the file may be meant for other runs as well. Defaults, and what a preset sets, do
    not count.

    Args:
        config: what the command line, the variables and the file make together.
        typed: configuration keys of the command line.
        below: configuration keys of the variables and the file.
        live: whether a source is a camera or a stream, or may be one.

    Returns:
        A sentence for each row of `NEEDS` whose flags are ignored.

    Raises:
        UsageError: a row of `NEEDS` refuses a flag.
    """
    changed, now, said = changed_values(config), Situation(config, live), []
    given = {flag_of(key) for key in {*typed, *below} if key in changed}
    on_top = {flag_of(key) for key in typed}
    spoken: set[str] = set()
    for need in list_needs(config):
        flags = [flag for flag in need.flags if flag in given - spoken]
        if not flags or need.applies is None or not need.applies(now):
            continue
        others = {word for word in need.example.split() if word.startswith("--")}
        overruled = not on_top.intersection(flags) and bool(on_top & {*others, need.beside})
        sentence = explain(need, flags, config)
        if need.refused and not overruled:
            raise UsageError(sentence, fix=need.fix or build_remedy(need, flags, config))
        said.append(sentence)
        spoken |= {*flags}
    return said


def list_needs(config: TrackConfig) -> tuple[Need, ...]:
    """The rows that hold for the system of a run: another one may read flags in its own way."""
    modular = config.tracker.system == TrackerConfig().system
    return NEEDS if modular else (*VIDEO_NEEDS, *RUN_NEEDS)


def changed_values(config: TrackConfig) -> dict[str, Any]:
    """Configuration key -> value of all that is not at its default."""
    found = {}
    for name, kind in stages(TrackConfig).items():
        for item in flag_fields(kind):
            value = getattr(stage_of(config, name), item.name)
            if value != item.default:
                found[key_of(item)] = value
    return found


def explain(need: Need, flags: list[str], config: TrackConfig) -> str:
    """The sentence that says which flags do nothing, and why.

    Args:
        need: the row.
        flags: those of its flags that were given.
        config: has the value of the other setting.
    """
    if need.says:
        return need.says
    does = form_of(len(flags), "does", "do")
    if need.lacks:
        return f"{_join(flags)} {does} nothing without {need.lacks}: {need.why}."
    return f"{_join(flags)} {does} nothing with {_with_value(need.beside, config)}: {need.why}."


def build_remedy(need: Need, flags: list[str], config: TrackConfig) -> str:
    """What to do about a row that refuses a run.

    Args:
        need: the row.
        flags: those of its flags that were given.
        config: has the value of the other setting.
    """
    it = form_of(len(flags), "it", "them")
    if need.lacks:
        return f"Add {_with_value(need.lacks, config)}, or leave {it} out."
    return f"Leave out {_with_value(need.beside, config)} or {_join(flags)}."


def _with_value(flag: str, config: TrackConfig) -> str:
    """A flag with the value that it has, or with the kind of value that it takes."""
    for name, kind in stages(TrackConfig).items():
        for item in flag_fields(kind):
            if item.metadata["flag"] == flag:
                value = getattr(stage_of(config, name), item.name)
                given = value or item.metadata["metavar"]
                return flag if isinstance(value, bool) else f"{flag} {given}"
    return flag


def _join(flags: list[str]) -> str:
    """`--a, --b and --c`."""
    *others, last = flags
    return f"{', '.join(others)} and {last}" if others else last
