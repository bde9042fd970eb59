"""Finds the files of runs: frame logs, stats JSON, or both."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

from mot_dinov3.config import CountConfig, flag_fields
from mot_dinov3.config.flat import key_of
from mot_dinov3.errors import InputError, MotError, UsageError, cannot_read, nearest
from mot_dinov3.io.formats.frame_log import MOST_LINE_BYTES
from mot_dinov3.outputs.counting.base import require_supervision
from mot_dinov3.outputs.report.recorder import RunData, read_run
from mot_dinov3.runtime.git_lfs import refuse_pointer
from mot_dinov3.runtime.opening import open_regular
from mot_dinov3.values.run_facts import RunFacts
from mot_dinov3.values.stats_json import facts_from_stats
from mot_dinov3.wording import program

MOST_STATS_BYTES = 16 * 2**20
PARTIAL = ".partial"
MAKE = f"Make one: {program()} video.mp4 --save-jsonl run.jsonl --stats-json run.json"


@dataclass(frozen=True, slots=True)
class RunFiles:
    """The files of one run; at least one of them is there.

    Attributes:
        frame_log: file of `--save-jsonl`.
        stats: file of `--stats-json`.
    """

    frame_log: Path | None
    stats: Path | None

    @property
    def places(self) -> list[Path]:
        """Directories in which its video may be: the present one, and those of its files."""
        known = [path.parent for path in (self.frame_log, self.stats) if path is not None]
        return [Path(), *known]


def find_runs(paths: Sequence[Path]) -> list[RunFiles]:
    """The runs that files and directories hold, in the order of the paths.

    A frame log and a stats JSON that belong together become one run, also where both are named.

    Raises:
        InputError: a file is missing or is neither of the two, or a directory holds neither.
        UsageError: a directory holds several runs.
    """
    found: list[RunFiles] = []
    for path in paths:
        files = _find_in_directory(path) if path.is_dir() else _complete(_open_named(path))
        if files not in found:
            found.append(files)
    return found


def load_run(files: RunFiles) -> RunData:
    """Read a run.

    Raises:
        InputError: a file cannot be read or is damaged.
    """
    facts = read_facts(files.stats) if files.stats else None
    count = find_counting(facts)
    run = read_run(files.frame_log, count) if files.frame_log else RunData("")
    run.facts = facts
    run.name = _find_title(run) or (files.frame_log or files.stats or Path("run")).stem
    return run


def find_counting(facts: RunFacts | None) -> CountConfig:
    """The lines and zones of a run; none where they are not known or cannot be counted at."""
    settings = (facts.config if facts else None) or {}
    known = {item.name: settings.get(key_of(item)) for item in flag_fields(CountConfig)}
    try:
        config = CountConfig(**{name: v for name, v in known.items() if v is not None})
        require_supervision(config)
        if facts is not None and facts.frame_size is not None:
            config.check_size(*facts.frame_size)
    except (MotError, TypeError, ValueError, AttributeError):  # the file may hold anything
        return CountConfig()
    return config


def join_runs(runs: Sequence[tuple[RunFiles, RunData]]) -> list[tuple[RunFiles, RunData]]:
    """Join a frame log and a stats JSON that count the same frames, where there is nothing else."""
    if len(runs) != 2:
        return list(runs)
    (first, one), (second, two) = sorted(runs, key=lambda run: run[0].frame_log is None)
    if first.stats or second.frame_log or two.facts is None:
        return list(runs)
    if len(one.frames) != two.facts.frames:
        return list(runs)
    one.facts, one.name = two.facts, two.name
    return [(replace(first, stats=second.stats), one)]


def read_facts(path: Path) -> RunFacts:
    """The facts that a `--stats-json` file holds.

    Raises:
        InputError: it cannot be read, or is another kind of file.
    """
    values = _parse_json(_read_head(path, MOST_STATS_BYTES))
    if not _is_stats(values):
        _refuse(path)
    return facts_from_stats(values)


def _find_title(run: RunData) -> str:
    source = run.facts.source if run.facts else None
    name = (source.name if source else "") or run.settings.get("source")
    return Path(name).name if isinstance(name, str) else ""


def _open_named(path: Path) -> RunFiles:
    if not path.exists():
        near = nearest(path.name, [other.name for other in _list_files(path.parent)])
        raise InputError(
            f"'{path}' does not exist.",
            fix=f"Did you mean {' or '.join(near)}?" if near else MAKE,
        )
    kind = _find_kind(path)
    if kind is None:
        _refuse(path)
    return RunFiles(path, None) if kind == "frame log" else RunFiles(None, path)


def _complete(files: RunFiles) -> RunFiles:
    """The run with its other file, where that lies beside the one that was named."""
    known = files.frame_log or files.stats
    if known is None:
        return files
    for other in _list_files(known.parent):
        if other.suffix.lower() not in (".json", ".jsonl") or other == known:
            continue
        kind = _find_kind(other)
        if files.frame_log and kind == "stats" and _belong_together(files.frame_log, other):
            return RunFiles(files.frame_log, other)
        if files.stats and kind == "frame log" and _belong_together(other, files.stats):
            return RunFiles(other, files.stats)
    return files


def _find_in_directory(path: Path) -> RunFiles:
    files = [p for p in _list_files(path) if p.suffix.lower() in (".json", ".jsonl")]
    runs: list[RunFiles] = []
    for name in files:
        if _find_kind(name) is not None:
            run = _complete(_open_named(name))
            if run not in runs:
                runs.append(run)
    if not runs:
        raise InputError(f"'{path}' holds no record of a run.", fix=MAKE)
    if len(runs) > 1:
        names = ", ".join(str(run.frame_log or run.stats) for run in runs)
        raise UsageError(f"'{path}' holds {len(runs)} runs.", fix=f"Name one or more of: {names}")
    return runs[0]


def _belong_together(frame_log: Path, stats: Path) -> bool:
    """Whether a stats JSON is that of a frame log: it names it, or both have the same name."""
    stem = frame_log.stem.removesuffix(PARTIAL)
    values = _parse_json(_read_head(stats, MOST_STATS_BYTES))
    config = values.get("config") if isinstance(values, dict) else None
    named = config.get("save_jsonl") if isinstance(config, dict) else None
    if isinstance(named, str) and named:
        return Path(named).stem == stem
    return stats.stem == stem


def _find_kind(path: Path) -> str | None:
    """What kind of file it is by its content: "frame log", "stats" or None."""
    head = _read_head(path, MOST_STATS_BYTES)
    first = _parse_json(head[: MOST_LINE_BYTES + 1].partition(b"\n")[0])
    if isinstance(first, dict) and "frame" in first and "tracks" in first:
        return "frame log"
    return "stats" if _is_stats(_parse_json(head)) else None


def _is_stats(values: object) -> bool:
    return isinstance(values, dict) and "frames" in values and "embeddings" in values


def _parse_json(text: bytes) -> Any:  # noqa: ANN401 - whatever the file holds
    try:
        return json.loads(text.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def _read_head(path: Path, most: int) -> bytes:
    try:
        with open_regular(path) as file:
            return file.read(most)
    except OSError as error:
        raise cannot_read(path, error) from error


def _list_files(directory: Path) -> list[Path]:
    try:
        return sorted(path for path in directory.iterdir() if path.is_file())
    except OSError:
        return []


def _refuse(path: Path) -> NoReturn:
    refuse_pointer(path, InputError)
    raise InputError(
        f"'{path}' is neither a file of --save-jsonl nor one of --stats-json.", fix=MAKE
    )
