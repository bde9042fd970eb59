"""Quality of results against ground truth, computed by TrackEval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mot_dinov3.evaluation.figures import FAMILIES, Scores, measure
from mot_dinov3.evaluation.preprocessing import ScoredSequence, preprocess
from mot_dinov3.io.formats.mot import MotTable


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Scores of each sequence, and of all their frames together (no mean of the former)."""

    sequences: dict[str, Scores]
    combined: Scores


def evaluate(cases: Sequence[ScoredSequence]) -> Evaluation:
    """Score several sequences, and their combination.

    Raises:
        ModelError: `trackeval` is not installed.
    """
    single, combined = measure(preprocess(cases), tuple(FAMILIES))
    return Evaluation(
        {name: _make_scores(row) for name, row in single.items()}, _make_scores(combined)
    )


def _make_scores(figures: Mapping[str, Any]) -> Scores:
    return Scores(**figures)


def score(truth: MotTable, result: MotTable, frames: int, min_visibility: float = 0.0) -> Scores:
    """Compare a result with the ground truth of the same frames; every class counts.

    Args:
        truth: identities as they are; a `score` of 0 means that a box is not asked for.
        result: identities as they were tracked.
        frames: length of the sequence.
        min_visibility: share of an object that must be seen, where the table says it; others
            are neither asked for nor held against the tracker.

    Raises:
        ModelError: `trackeval` is not installed.
    """
    case = ScoredSequence("sequence", truth, result, frames, min_visibility=min_visibility)
    return evaluate([case]).sequences[case.name]
