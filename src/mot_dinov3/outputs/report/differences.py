"""In which settings runs differ, and the titles by which a page tells them apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mot_dinov3.config import OutputConfig, TalkConfig, TrackConfig, flag_fields
from mot_dinov3.config.flat import as_dict, flag_of, key_of
from mot_dinov3.outputs.report.recorder import RunData
from mot_dinov3.outputs.report.tables import to_text

PLACES = {
    *(key_of(item) for item in flag_fields(OutputConfig)),
    *(key_of(item) for item in flag_fields(TalkConfig)),
    *("journal", "resume", "serve", "show", "batch_json", "batch_csv"),
} - {"no_video", "crops_of", "crops_per_id"}
"""Settings that say where results go and how progress is shown: they change no result."""
FILES = ("save_jsonl", "stats_json", "output")
"""Settings whose file tells runs apart that are the same otherwise."""
UNKNOWN = "\N{EN DASH}"
MOST_NAMED = 2
"""Settings in the title of a run."""
LONGEST_VALUE = 40
"""Characters of a value in a title."""


@dataclass(frozen=True, slots=True)
class ComparedCell:
    """A value of one run.

    Attributes:
        text: the value.
        change: against the value of the first run, "" where there is none.
        tone: "down" for better, "up" for worse, "" for neither.
    """

    text: str
    change: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class ComparedRow:
    """One figure or flag of all runs.

    Attributes:
        name: of the figure or flag.
        cells: one for each run.
        colour: of the figure in charts, "" for none.
    """

    name: str
    cells: tuple[ComparedCell, ...]
    colour: str = ""


def find_differences(runs: Sequence[RunData]) -> list[ComparedRow]:
    """Settings that are not the same in all runs; a run that lacks one has the default."""
    return [
        ComparedRow(
            flag_of(key),
            tuple(ComparedCell(UNKNOWN if v is None or v == "" else to_text(v)) for v in found),
        )
        for key, found in _differing(runs).items()
    ]


def _differing(runs: Sequence[RunData]) -> dict[str, list[Any]]:
    """Key of each setting that is not the same in all runs -> its value in every run."""
    usual = as_dict(TrackConfig())
    keys = sorted({str(key) for run in runs for key in run.settings} - PLACES)
    values = {
        key: [run.settings.get(key, usual.get(key)) if run.settings else None for run in runs]
        for key in keys
    }
    return {key: v for key, v in values.items() if any(value != v[0] for value in v)}


def find_common_name(runs: Sequence[RunData]) -> str:
    """The name that all runs have, "" where they differ in it."""
    names = {run.name for run in runs}
    return names.pop() if len(names) == 1 else ""


def build_titles(runs: Sequence[RunData]) -> list[str]:
    """A letter for each run, and what tells it from the others.

    Runs of different clips have the names of these, runs of one clip the settings that differ, and
    where none does the names of their files.
    """
    letters = [chr(ord("A") + n) for n in range(len(runs))]
    if not find_common_name(runs):
        words = [run.name for run in runs]
        if len(set(words)) < len(words):
            words = [f"{w} {t}".rstrip() for w, t in zip(words, _name_settings(runs), strict=True)]
    else:
        words = _name_settings(runs)
        if not any(words):
            words = _name_files(runs)
    return [f"{letter} {word}".rstrip() for letter, word in zip(letters, words, strict=True)]


def _name_settings(runs: Sequence[RunData]) -> list[str]:
    """The first settings that differ, as each run has them; "" for a run without any known."""
    differing = {k: v for k, v in _differing(runs).items() if k != "source"}
    named, more = list(differing.items())[:MOST_NAMED], len(differing) - MOST_NAMED
    out = []
    for number, run in enumerate(runs):
        words = [_name_setting(key, values[number]) for key, values in named]
        words += [f"and {more} more"] if more > 0 else []
        out.append(", ".join(words) if run.settings else "")
    return out


def _name_setting(key: str, value: object) -> str:
    flag = flag_of(key)
    if isinstance(value, bool) or value is None or value == "":
        return flag if value is True else f"without {flag}"
    text = to_text(value)
    return f"{flag} {text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + '...'}"


def _name_files(runs: Sequence[RunData]) -> list[str]:
    """The first kind of file whose names differ; the common name where none does."""
    for key in FILES:
        names = [Path(str(run.settings.get(key) or "")).name for run in runs]
        if all(names) and len(set(names)) == len(names):
            return names
    return [run.name for run in runs]
