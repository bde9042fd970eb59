"""The outcomes of a batch, as a table, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from mot_dinov3.errors import hide_secrets
from mot_dinov3.outputs.sinks.csv_table import make_harmless
from mot_dinov3.runs.batch.base import TaskOutcome
from mot_dinov3.wording import counted

CAMERAS = "cameras"
"""The crew of live sources that are tracked at the same time."""
CSV_NUMBERS = ("frames", "fps", "tracks", "crops")
WIDEST = 40
"""A longer source is shown by its end."""


@dataclass(frozen=True, slots=True)
class BatchEnd:
    """How a batch ended.

    Attributes:
        outcomes: one a video, in order.
        exit_code: of the whole.
        wall_s: seconds of all of it, starting the workers included.
        crew: the name of the pool of workers, as `--batch-json` has it.
    """

    outcomes: Sequence[TaskOutcome]
    exit_code: int
    wall_s: float
    crew: str


def format_table(end: BatchEnd) -> str:
    """One line for each video and one for all."""
    shown = [_shorten(outcome.source) for outcome in end.outcomes]
    width = max([len("source"), *map(len, shown)])
    lines = [f"{'source':<{width}}  frames     FPS  tracks   crops  exit  reason"]
    for outcome, source in zip(end.outcomes, shown, strict=True):
        code = str(outcome.exit_code) if outcome.begun else "-"
        lines.append(
            f"{source:<{width}}{outcome.frames:>8}{outcome.fps:>8.1f}{outcome.tracks:>8}"
            f"{outcome.crops:>8}{code:>6}  {outcome.reason}".rstrip()
        )
    return "\n".join([*lines, _format_total(end)])


def _shorten(source: str) -> str:
    return source if len(source) <= WIDEST else "..." + source[-WIDEST + 3 :]


def _format_total(end: BatchEnd) -> str:
    frames = sum(outcome.frames for outcome in end.outcomes)
    whole = sum(outcome.begun and outcome.exit_code == 0 for outcome in end.outcomes)
    noun = "camera" if end.crew == CAMERAS else "video"
    rate = frames / end.wall_s if end.wall_s > 0 else 0.0
    return (
        f"{whole} of {counted(len(end.outcomes), noun)} without a problem: "
        f"{counted(frames, 'frame')} in {end.wall_s:.1f} s, {rate:.1f} FPS in all"
    )


def to_json(end: BatchEnd) -> str:
    """The outcomes for `--batch-json`; a video that was never begun has no exit code."""
    videos = [_create_record(outcome) for outcome in end.outcomes]
    figures = {
        "exit_code": end.exit_code,
        "crew": end.crew,
        "wall_s": round(end.wall_s, 3),
        "frames": sum(outcome.frames for outcome in end.outcomes),
        "videos": videos,
    }
    return json.dumps(figures, indent=2, allow_nan=False)


def to_csv(end: BatchEnd) -> str:
    """The outcomes for `--batch-csv`: a row a video, and a column for everything that was counted.

    Columns: `name`, `source`, `exit_code` (empty for a video that was never begun), `reason`,
    `frames`, `fps`, `tracks`, `crops`, then `identities CLASS` of every class, `line NAME in` and
    `out`, `zone NAME entered` and `left`. A video without such a class, line or zone has 0.
    """
    counts = [_list_counts(outcome) for outcome in end.outcomes]
    more = list(dict.fromkeys(name for row in counts for name in row))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["name", "source", "exit_code", "reason", *CSV_NUMBERS, *more])
    for outcome, row in zip(end.outcomes, counts, strict=True):
        record = _create_record(outcome)
        words = [make_harmless(str(record[key])) for key in ("name", "source", "reason")]
        numbers = [round(record[key], 3) for key in CSV_NUMBERS]
        code = outcome.exit_code if outcome.begun else ""
        writer.writerow(
            [*words[:2], code, words[2], *numbers, *(row.get(name, 0) for name in more)]
        )
    return text.getvalue()


def _list_counts(outcome: TaskOutcome) -> dict[str, int]:
    """Column -> number of what was counted in one video."""
    out = {make_harmless(f"identities {name}"): n for name, n in outcome.identities.items()}
    places = (("line", outcome.lines, ("in", "out")), ("zone", outcome.zones, ("entered", "left")))
    for kind, counted_at, ways in places:
        for name, counts in counted_at.items():
            for way in ways:
                out[make_harmless(f"{kind} {name} {way}")] = sum(counts[way].values())
    return out


def _create_record(outcome: TaskOutcome) -> dict[str, Any]:
    record = asdict(outcome)
    begun = record.pop("begun")
    record["exit_code"] = outcome.exit_code if begun else None
    return {
        key: hide_secrets(value) if isinstance(value, str) else value
        for key, value in record.items()
        if key != "common"
    }
