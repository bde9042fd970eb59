"""Which boxes count: TrackEval's own rules for MOTChallenge, run on tables in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from mot_dinov3.evaluation.figures import trackeval
from mot_dinov3.io.formats.mot import MotTable
from mot_dinov3.values import IntArray

PEDESTRIAN, STATIC_PERSON, MOST_CLASS = 1, 7, 13
NONE = "none"
BENCHMARKS = {"mot17": "MOT17", "mot20": "MOT20"}
RULES = (*BENCHMARKS, NONE)
"""mot17 (MOT16 too) and mot20: pedestrians count, and a result box on a person on a vehicle, a
static person, a distractor or a reflection is left out, as are annotations marked 0; mot20 leaves
out those on vehicles too. none: every box that is not marked 0 counts."""


@dataclass(frozen=True, slots=True)
class ScoredSequence:
    """One sequence to be scored.

    Attributes:
        name: how tables call it.
        truth: identities as they are; rows whose `score` is 0 are not asked for.
        result: identities as they were tracked.
        frames: length of the sequence.
        rule: one of `RULES`.
        min_visibility: annotations that are less visible are neither asked for nor held against
            the tracker: a result box on one is left out, as on a distractor.
    """

    name: str
    truth: MotTable
    result: MotTable
    frames: int
    rule: str = NONE
    min_visibility: float = 0.0

    def __post_init__(self) -> None:
        for table in (self.truth, self.result):
            if len(table) and table.frame_index[-1] >= self.frames:
                raise ValueError(f"Case '{self.name}' has boxes after its {self.frames} frames")


def choose_rule(name: str, truth: MotTable) -> str:
    """Choose the rule that a ground truth was made for.

    MOT16, MOT17 and MOT20 annotate other classes beside pedestrians, and mark every one of
    those 0. A file with one class only, with none, or with other classes that count follows no
    such rule.
    """
    other = truth.class_id != PEDESTRIAN
    marked = bool((truth.class_id > 0).all() and (truth.class_id <= MOST_CLASS).all())
    marked = marked and bool(other.any()) and bool((truth.score[other] == 0).all())
    if not marked:
        return NONE
    return "mot20" if name.upper().startswith("MOT20") else "mot17"


def preprocess(cases: Sequence[ScoredSequence]) -> dict[str, Any]:
    """Sequence name -> what TrackEval's metrics read, after its preprocessing.

    TrackEval reads files, so the tables become files for a moment. Boxes are written to the
    hundredth of a pixel, like results, so that a table and its file have the same figures.

    Raises:
        ModelError: `trackeval` is not installed.
    """
    box2d = trackeval("datasets").MotChallenge2DBox
    out = {}
    with TemporaryDirectory(prefix="mot-eval-") as directory:
        folder = Path(directory)
        for number, case in enumerate(cases):
            place = f"s{number}"
            _write(folder / "truth" / place / "gt" / "gt.txt", _truth_rows(case))
            _write(folder / "result" / "ours" / f"{place}.txt", _result_rows(case.result))
            data = box2d(_make_settings(folder, place, case))
            raw = data.get_raw_seq_data("ours", place)
            out[case.name] = data.get_preprocessed_seq_data(raw, "pedestrian")
    return out


def _make_settings(folder: Path, place: str, case: ScoredSequence) -> dict[str, Any]:
    return {
        "GT_FOLDER": str(folder / "truth"),
        "TRACKERS_FOLDER": str(folder / "result"),
        "TRACKERS_TO_EVAL": ["ours"],
        "TRACKER_SUB_FOLDER": "",
        "SKIP_SPLIT_FOL": True,
        "SEQ_INFO": {place: case.frames},
        "BENCHMARK": BENCHMARKS.get(case.rule, "MOT17"),
        "DO_PREPROC": case.rule != NONE or case.min_visibility > 0,
        "PRINT_CONFIG": False,
    }


def _truth_rows(case: ScoredSequence) -> np.ndarray:
    """Frame, id, box, flag and class; an object hidden too much is written as a distractor."""
    truth = case.truth
    class_id: IntArray = truth.class_id if case.rule != NONE else np.ones_like(truth.class_id)
    hidden = (truth.visibility < case.min_visibility) & (class_id == PEDESTRIAN)
    class_id = np.where(hidden, STATIC_PERSON, class_id)
    return np.column_stack([_boxes(truth), truth.score != 0, class_id])


def _result_rows(result: MotTable) -> np.ndarray:
    return np.column_stack([_boxes(result), np.ones(len(result))])


def _boxes(table: MotTable) -> np.ndarray:
    xyxy = table.xyxy.astype(np.float64)
    size = xyxy[:, 2:] - xyxy[:, :2]
    return np.column_stack([table.frame_index + 1, table.track_id, xyxy[:, :2], size])


def _write(path: Path, rows: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    form = ["%d", "%d", *["%.2f"] * 4, *["%d"] * (rows.shape[1] - 6)]
    np.savetxt(path, rows, fmt=form, delimiter=",")
