"""Plays every case over every recording, and measures quality against cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from mot_dinov3.config import TrackConfig
from mot_dinov3.evaluation.figures import measure, trackeval
from mot_dinov3.evaluation.preprocessing import ScoredSequence, choose_rule, preprocess
from mot_dinov3.io.formats.mot import MotTable
from mot_dinov3.lab.recordings.agreement import agreeing_boxes
from mot_dinov3.lab.recordings.cache import Cache
from mot_dinov3.lab.recordings.play import Case, Played, play

COMBINED = "combined"
FLOOR, CEILING = Case("never"), Case("always")
FAMILIES = ("hota", "clear", "identity")
SCORES = ("hota", "assa", "deta", "idf1", "mota", "idsw")
MIN_VISIBILITY = 0.3
"""Objects of a drawn world that are hidden more than this are not asked for, as in the demo."""

OnCase = Callable[[Case, str], None]


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

    case: Case
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

    played: Played
    cache: Cache
    agreeing: int
    boxes: int


def study(
    caches: Mapping[str, Cache],
    cases: Sequence[Case],
    config: TrackConfig,
    directory: Path,
    on_case: OnCase | None = None,
) -> list[Point]:
    """Play all cases on all recordings, `never` and `always` among them.

    Args:
        caches: name -> recording.
        cases: what to play, each once.
        config: scheduler and tracker.
        directory: gets `SOURCE/CASE.txt`, the tracks.
        on_case: called before each.

    Returns:
        A point per source and case, then those of all sources together if there are several.

    Raises:
        MotError: a policy lacks what it needs, or scoring is not installed.
    """
    if any(cache.truth is not None for cache in caches.values()):
        trackeval("metrics")  # tells at once, not after all is played, that it is missing
    runs: dict[Case, dict[str, _Run]] = {}
    for case in dict.fromkeys([FLOOR, CEILING, *cases]):
        runs[case] = {}
    for name, cache in caches.items():
        ceiling: MotTable | None = None
        for case in sorted(runs, key=lambda case: case != CEILING):
            if on_case is not None:
                on_case(case, name)
            played = play(cache, config, case, directory / name / f"{file_name(case)}.txt")
            ceiling = played.result if ceiling is None else ceiling
            agreeing, boxes = agreeing_boxes(ceiling, played.result)
            runs[case][name] = _Run(played, cache, agreeing, boxes)
    points = [point for case in runs for point in _points(case, runs[case], runs[CEILING])]
    order = [*caches, COMBINED]
    return sorted(points, key=lambda point: order.index(point.source))


def file_name(case: Case) -> str:
    """A plain file name for a case: `interval-5`, `continuity-10-ms`."""
    return case.title.replace(":", "-").replace(" ", "-").replace("+", "-")


def _points(case: Case, runs: Mapping[str, _Run], most: Mapping[str, _Run]) -> list[Point]:
    known = {name: run for name, run in runs.items() if run.cache.truth is not None}
    single, together = _scores(known) if known else ({}, {})
    out = [
        _point(case, name, {name: run}, most, single.get(name, {})) for name, run in runs.items()
    ]
    if len(runs) > 1:
        whole = together if len(known) == len(runs) else {}
        out.append(_point(case, COMBINED, runs, most, whole))
    return out


def _point(
    case: Case,
    source: str,
    runs: Mapping[str, _Run],
    most: Mapping[str, _Run],
    scores: Mapping[str, float],
) -> Point:
    frames = sum(len(run.cache.tape) for run in runs.values())
    crops = sum(run.played.crops for run in runs.values())
    possible = sum(most[name].played.crops for name in runs)
    embed_ms = sum(run.played.embed_ms for run in runs.values())
    fixed_ms = sum(
        (run.cache.costs.fixed_ms + case.cheap * run.cache.costs.cheap_ms) * len(run.cache.tape)
        for run in runs.values()
    )
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
        sha256=runs[source].played.sha256 if source in runs else "",
    )


def _scores(runs: Mapping[str, _Run]) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    """Figures of each source and of all together."""
    cases = [scored(name, run.cache, run.played.result) for name, run in runs.items()]
    single, together = measure(preprocess(cases), FAMILIES)
    return {name: _chosen(figures) for name, figures in single.items()}, _chosen(together)


def _chosen(figures: Mapping[str, float]) -> dict[str, float]:
    return {name: figures[name] for name in SCORES}


def scored(name: str, cache: Cache, result: MotTable) -> ScoredSequence:
    """A result with the truth of the frames that were recorded."""
    if cache.truth is None:
        raise ValueError("a recording without ground truth cannot be scored")
    recorded = np.fromiter(cache.tape.takes, np.int64, len(cache.tape))
    here = np.isin(cache.truth.frame_index, recorded)
    columns = {item.name: getattr(cache.truth, item.name)[here] for item in fields(MotTable)}
    truth = MotTable(**columns)
    drawn = (truth.visibility < 1).any() and cache.origin.name.startswith("synthetic:")
    return ScoredSequence(
        name,
        truth,
        result,
        frames=int(recorded.max(initial=-1)) + 1,
        rule=choose_rule(name, truth),
        min_visibility=MIN_VISIBILITY if drawn else 0.0,
    )
