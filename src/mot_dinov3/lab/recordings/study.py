"""Replays every case over every recording, and measures quality against cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from mot_dinov3.config import TrackConfig
from mot_dinov3.evaluation.figures import measure, trackeval
from mot_dinov3.evaluation.preprocessing import ScoredSequence, choose_rule, preprocess
from mot_dinov3.io.formats.mot import MotTable
from mot_dinov3.lab.recordings.agreement import count_agreeing_boxes
from mot_dinov3.lab.recordings.recording import Recording
from mot_dinov3.lab.recordings.replay import ReplayCase, ReplayResult, replay
from mot_dinov3.scheduling.policies.factory import POLICIES, policy_class

COMBINED = "combined"
FLOOR, CEILING = ReplayCase("never"), ReplayCase("always")
FAMILIES = ("hota", "clear", "identity")
SCORES = ("hota", "assa", "deta", "idf1", "mota", "idsw")
MIN_VISIBILITY = 0.3
"""Objects of a drawn world that are hidden more than this are not asked for, as in the demo."""

OnCase = Callable[[ReplayCase, str], None]


@dataclass(frozen=True, slots=True)
class Point:
    """One case on one source, or on all of them together.

    Attributes:
        case: policy and budget.
        source: name of the recording, or `COMBINED`.
        frames: how many were tracked.
        crops: how many were embedded.
        share: of the crops that `always` embeds.
        embed_ms: milliseconds of embedding a frame, by the recorded costs.
        frame_ms: the same with reading, detecting and tracking.
        agreement: percentage of boxes whose identity is that of `always`.
        scores: figures against the ground truth; empty where there is none.
        sha256: of the MOT text; empty for `COMBINED`.
    """

    case: ReplayCase
    source: str
    frames: int
    crops: int
    share: float
    embed_ms: float
    frame_ms: float
    agreement: float
    scores: Mapping[str, float]
    sha256: str = ""

    @property
    def quality(self) -> float:
        """HOTA where the truth is known, agreement else; both in percent."""
        return self.scores.get("hota", self.agreement)


@dataclass(frozen=True, slots=True)
class _Run:
    """A played case with what it takes to put several sources together."""

    result: ReplayResult
    recording: Recording
    agreeing: int
    boxes: int

    def compute_fixed_ms(self, *, cheap: bool) -> float:
        """Milliseconds of everything but embedding, in all frames; `cheap` evidence included."""
        costs = self.recording.costs
        return (costs.fixed_ms + cheap * costs.cheap_ms) * len(self.recording.clip)


def list_policies() -> list[str]:
    """What is compared unless told otherwise: every policy of the product, with its numbers."""
    out = []
    for name in dict.fromkeys((FLOOR.policy, CEILING.policy, *POLICIES)):
        argument = policy_class(name).argument
        numbers = argument.compared if argument is not None else ()
        out += [f"{name}:{number:g}" for number in numbers] or [name]
    return out


def study(
    recordings: Mapping[str, Recording],
    cases: Sequence[ReplayCase],
    config: TrackConfig,
    directory: Path,
    on_case: OnCase | None = None,
) -> list[Point]:
    """Replay all cases on all recordings, `never` and `always` among them.

    Args:
        recordings: name -> recording.
        cases: what to play, each once.
        config: scheduler and tracker.
        directory: gets `SOURCE/CASE.txt`, the tracks.
        on_case: called before each.

    Returns:
        A point per source and case, then those of all sources together if there are several.

    Raises:
        MotError: a policy lacks what it needs, or scoring is not installed.
    """
    if any(recording.truth is not None for recording in recordings.values()):
        trackeval("metrics")  # fails at once, not after all replays, where it is missing
    runs: dict[ReplayCase, dict[str, _Run]] = {}
    for case in dict.fromkeys([FLOOR, CEILING, *cases]):
        runs[case] = {}
    for name, recording in recordings.items():
        ceiling: MotTable | None = None
        for case in sorted(runs, key=lambda case: case != CEILING):
            if on_case is not None:
                on_case(case, name)
            result = replay(recording, config, case, directory / name / f"{file_name(case)}.txt")
            ceiling = result.table if ceiling is None else ceiling
            agreeing, boxes = count_agreeing_boxes(ceiling, result.table)
            runs[case][name] = _Run(result, recording, agreeing, boxes)
    points = [point for case in runs for point in _build_points(case, runs[case], runs[CEILING])]
    order = [*recordings, COMBINED]
    return sorted(points, key=lambda point: order.index(point.source))


def file_name(case: ReplayCase) -> str:
    """A plain file name for a case: `interval-5`, `continuity-10-ms`."""
    return case.title.replace(":", "-").replace(" ", "-").replace("+", "-")


def _build_points(
    case: ReplayCase, runs: Mapping[str, _Run], most: Mapping[str, _Run]
) -> list[Point]:
    known = {name: run for name, run in runs.items() if run.recording.truth is not None}
    single, together = _score(known) if known else ({}, {})
    out = [
        _build_point(case, name, {name: run}, most, single.get(name, {}))
        for name, run in runs.items()
    ]
    if len(runs) > 1:
        whole = together if len(known) == len(runs) else {}
        out.append(_build_point(case, COMBINED, runs, most, whole))
    return out


def _build_point(
    case: ReplayCase,
    source: str,
    runs: Mapping[str, _Run],
    most: Mapping[str, _Run],
    scores: Mapping[str, float],
) -> Point:
    frames = sum(len(run.recording.clip) for run in runs.values())
    crops = sum(run.result.crops for run in runs.values())
    possible = sum(most[name].result.crops for name in runs)
    embed_ms = sum(run.result.embed_ms for run in runs.values())
    fixed_ms = sum(run.compute_fixed_ms(cheap=case.cheap) for run in runs.values())
    boxes = sum(run.boxes for run in runs.values())
    agreeing = sum(run.agreeing for run in runs.values())
    return Point(
        case=case,
        source=source,
        frames=frames,
        crops=crops,
        share=round(crops / possible, 5) if possible else 0.0,
        embed_ms=round(embed_ms / max(frames, 1), 4),
        frame_ms=round((embed_ms + fixed_ms) / max(frames, 1), 4),
        agreement=round(100 * agreeing / boxes, 3) if boxes else 100.0,
        scores=scores,
        sha256=runs[source].result.sha256 if source in runs else "",
    )


def _score(runs: Mapping[str, _Run]) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    """Figures of each source and of all together."""
    cases = [
        build_evaluation_case(name, run.recording, run.result.table) for name, run in runs.items()
    ]
    single, together = measure(preprocess(cases), FAMILIES)
    by_source = {name: _select_scores(figures) for name, figures in single.items()}
    return by_source, _select_scores(together)


def _select_scores(figures: Mapping[str, float]) -> dict[str, float]:
    return {name: figures[name] for name in SCORES}


def build_evaluation_case(name: str, recording: Recording, result: MotTable) -> ScoredSequence:
    """Pair a result with the truth of the frames that were recorded."""
    if recording.truth is None:
        raise ValueError("a recording without ground truth cannot be scored")
    recorded = np.fromiter(recording.clip.frames, np.int64, len(recording.clip))
    here = np.isin(recording.truth.frame_index, recorded)
    columns = {item.name: getattr(recording.truth, item.name)[here] for item in fields(MotTable)}
    truth = MotTable(**columns)
    drawn = (truth.visibility < 1).any() and recording.origin.name.startswith("synthetic:")
    return ScoredSequence(
        name,
        truth,
        result,
        frames=int(recorded.max(initial=-1)) + 1,
        rule=choose_rule(name, truth),
        min_visibility=MIN_VISIBILITY if drawn else 0.0,
    )
