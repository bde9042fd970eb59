"""One JSON object per decision: why a crop was embedded or not, and what it cost."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np

from mot_dinov3.io.write.atomic import AtomicTextFile
from mot_dinov3.outputs.sinks.base import FileSink, SinkRun
from mot_dinov3.outputs.sinks.jsonl import MS_DIGITS, to_number
from mot_dinov3.outputs.sinks.renaming import NewOf, create_renamer, format_json
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.values import Fate, Frame, FrameResult, Reason

SCORE_DIGITS = 4


def rename_trace_line(lines: Sequence[str], new_of: NewOf) -> Iterator[str]:
    """A line of `--save-trace`."""
    record: dict[str, Any] = json.loads(lines[0])
    record["track"] = new_of.get(record["track"], record["track"])
    yield format_json(record)


class TraceSink(FileSink):
    """The scheduler's decisions, a line each, flushed as the run goes."""

    rename = staticmethod(create_renamer(rename_trace_line))

    def __init__(self, path: str, timer: StageTimer) -> None:
        self._file = AtomicTextFile(path, flush_lines=True)
        super().__init__(path, self._file, timer)

    @classmethod
    def create(cls, path: str, run: SinkRun) -> Self:
        """A sink that will write to `path`."""
        return cls(path, run.timer)

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Add a line per detection of the frame.

        Raises:
            OutputError: the file cannot be written.
        """
        with self.timer("write"):
            lines = [format_json(row) for row in describe_decisions(result)]
            if lines:
                self._file.write_line("\n".join(lines))


def describe_decisions(result: FrameResult) -> Iterator[dict[str, Any]]:
    """The decisions of a frame as plain values, in the order of its detections.

    Keys: `frame` (0-based), `row` (of the detection), `track` (the identity it got, negative
    while that is tentative, None for none), `kind` ("critical", "refresh" or "reuse"), `priority`
    (place in the plan's order, from 0; None if reused), `quality`, `worth` (None where the policy
    only ranks), `admitted` (went through the embedder), `outcome` ("computed", "deferred",
    "starved", "reused" where the track has an embedding, or "none"), `reason`, `predicted_ms` and
    `ms` (shares of the batch, None if not computed).
    """
    if result.decisions is None:
        return
    made, embeddings = result.decisions, result.embeddings
    known = np.zeros(len(made), np.bool_) if embeddings is None else embeddings.valid
    identity = dict(zip(result.tracks.detection.tolist(), result.tracks.id.tolist(), strict=True))
    for row in range(len(made)):
        fate, admitted = Fate(int(made.fate[row])), bool(made.admitted[row])
        yield {
            "frame": result.frame_index,
            "row": row,
            "track": identity.get(row),
            "kind": fate.name.lower(),
            "priority": int(made.rank[row]) if fate else None,
            "quality": to_number(float(made.quality[row]), SCORE_DIGITS),
            "worth": to_number(float(made.worth[row]), SCORE_DIGITS),
            "admitted": admitted,
            "outcome": name_outcome(fate, admitted=admitted, known=bool(known[row])),
            "reason": Reason(int(made.reason[row])).name.lower(),
            "predicted_ms": to_number(float(made.predicted_ms[row]), MS_DIGITS),
            "ms": to_number(float(made.real_ms[row]), MS_DIGITS),
        }


def name_outcome(fate: Fate, *, admitted: bool, known: bool) -> str:
    """What a plan's word led to; the words are those of the summary.

    Args:
        fate: what the plan said.
        admitted: whether the detection went through the embedder.
        known: whether its track has an embedding; without one there is nothing to reuse.
    """
    if admitted:
        return "computed"
    if fate == Fate.REUSE and not known:
        return "none"
    return {Fate.REUSE: "reused", Fate.REFRESH: "deferred", Fate.CRITICAL: "starved"}[fate]
