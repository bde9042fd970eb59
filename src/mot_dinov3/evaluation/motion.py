"""How well a motion model predicts tracks whose identity is known, seen and hidden.

The model is driven as the tracker drives it, but for the association, which the truth makes. Each
track is hidden now and then, and where it is predicted meanwhile is compared with where it was.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np

from mot_dinov3.data.trajectories.base import Trajectories
from mot_dinov3.tracking.camera.steady import estimate_shift
from mot_dinov3.tracking.motion.base import CHI2_95_2DOF, MotionModel
from mot_dinov3.values import BoolArray, FloatArray, IntArray
from mot_dinov3.values.boxes import iou, sides

HIDDEN_FRAMES = (5, 15, 30)
"""After so many hidden frames the error is read."""
SEEN_FRAMES = (20, 50)
"""How long a track is seen between two times that it is hidden."""
LONG_SHARE = 0.5
"""Of the times that a track is hidden, those that last the longest; the others are shorter."""
KNOWN_HITS = 3
"""Sightings after which a prediction means something."""


@dataclass(frozen=True, slots=True)
class MotionFigures:
    """What a motion model reaches; errors are those of the centre, in box heights.

    Attributes:
        iou: mean IoU one step ahead with where the object was.
        ahead: mean error one step ahead.
        hidden: frames that a track was hidden -> mean error then.
        back: mean error in the frame in which a track is seen again.
        inside: share of the true centres within the gate that should hold 95 %, one step ahead.
        inside_hidden: the same of hidden tracks.
        predictions: how many were measured one step ahead.
        ms_per_frame: mean time to predict and correct all tracks.
    """

    iou: float
    ahead: float
    hidden: dict[int, float]
    back: float
    inside: float
    inside_hidden: float
    predictions: int
    ms_per_frame: float


@dataclass(slots=True)
class _Tally:
    """Single measurements."""

    iou: list[FloatArray] = field(default_factory=list)
    ahead: list[FloatArray] = field(default_factory=list)
    hidden: dict[int, list[FloatArray]] = field(
        default_factory=lambda: {frames: [] for frames in HIDDEN_FRAMES}
    )
    back: list[FloatArray] = field(default_factory=list)
    inside: list[BoolArray] = field(default_factory=list)
    inside_hidden: list[BoolArray] = field(default_factory=list)
    spent_s: float = 0.0
    frames: int = 0

    def summarise(self) -> MotionFigures:
        """Means over all."""
        return MotionFigures(
            iou=_mean(self.iou),
            ahead=_mean(self.ahead),
            hidden={frames: _mean(values) for frames, values in self.hidden.items()},
            back=_mean(self.back),
            inside=_mean(self.inside),
            inside_hidden=_mean(self.inside_hidden),
            predictions=sum(map(len, self.ahead)),
            ms_per_frame=1000 * self.spent_s / max(1, self.frames),
        )


def _mean(parts: Sequence[FloatArray] | Sequence[BoolArray]) -> float:
    values = np.concatenate([*parts, np.empty(0, np.float32)])
    return float(values.mean()) if len(values) else float("nan")


def measure_motion(
    make: Callable[[], MotionModel], sequences: Sequence[Trajectories], *, steady: bool = True
) -> MotionFigures:
    """Drive a motion model through sequences, and measure its predictions.

    Args:
        make: builds the model, without tracks.
        sequences: where objects were, and where they were seen.
        steady: take a shift that all boxes share for the camera's, as `--steady` does.
    """
    tally = _Tally()
    for one in sequences:
        _Run(make(), one, tally, steady=steady).play()
    return tally.summarise()


def plan_hidden(one: Trajectories) -> BoolArray:
    """(F, T) when objects are hidden; always the same for a sequence of that name and size."""
    frames, objects = one.score.shape
    out = np.zeros((frames, objects), np.bool_)
    shortest, longest = HIDDEN_FRAMES[0], HIDDEN_FRAMES[-1]
    for number in range(objects):
        rng = np.random.default_rng([zlib.crc32(one.name.encode()), number])
        frame = int(rng.integers(0, SEEN_FRAMES[1]))
        while frame < frames:
            frame += int(rng.integers(*SEEN_FRAMES))
            gap = longest if rng.random() < LONG_SHARE else int(rng.integers(shortest, longest))
            out[frame : frame + gap, number] = True
            frame += gap
    return out


class _Run:
    """One model on its way through one sequence.

    `columns` (R,) are the objects that the model's rows stand for, `hits` (R,) in how many frames
    each was seen, and `misses` (R,) for how many it has not been.
    """

    def __init__(
        self, model: MotionModel, one: Trajectories, tally: _Tally, *, steady: bool
    ) -> None:
        self._model, self._one, self._tally, self._steady = model, one, tally, steady
        self._observed = one.observed & ~plan_hidden(one)
        self._present = one.present
        last = np.where(one.present.any(axis=0), len(one) - one.present[::-1].argmax(axis=0), 0)
        self._ends: IntArray = last
        self._columns = self._hits = self._misses = np.empty(0, np.int64)

    def play(self) -> None:
        """Predict, measure and update, frame by frame."""
        for frame in range(len(self._one)):
            self._leave(frame)
            self._tally.frames += 1
            if frame and len(self._columns):
                with self._clock():
                    self._model.predict(1 / self._one.fps, self._misses > 0)
                if self._steady:
                    self._hold_steady(frame)
                self._measure(frame)
            self._see(frame)

    @contextmanager
    def _clock(self) -> Iterator[None]:
        started = perf_counter()
        yield
        self._tally.spent_s += perf_counter() - started

    def _leave(self, frame: int) -> None:
        """Drop objects that never come back."""
        stays = self._ends[self._columns] > frame
        if not stays.all():
            self._model.keep(stays)
            self._columns, self._hits = self._columns[stays], self._hits[stays]
            self._misses = self._misses[stays]

    def _hold_steady(self, frame: int) -> None:
        known = (self._misses == 0) & (self._hits >= KNOWN_HITS)
        seen = self._one.seen[frame, self._observed[frame]]
        shift = estimate_shift(seen, self._model.xyxy()[known])
        if shift.any():
            self._model.shift(shift)

    def _measure(self, frame: int) -> None:
        here = np.flatnonzero(self._present[frame, self._columns] & (self._hits >= KNOWN_HITS))
        if not len(here):
            return
        truth = self._one.truth[frame, self._columns[here]]
        boxes, misses = self._model.xyxy()[here], self._misses[here]
        off = (truth[:, :2] + truth[:, 2:] - boxes[:, :2] - boxes[:, 2:]) / 2
        height = np.maximum(truth[:, 3] - truth[:, 1], 1.0)
        error = np.hypot(off[:, 0], off[:, 1]) / height
        inside = self._model.gate_distance(truth, here) <= CHI2_95_2DOF
        tally, seen = self._tally, misses == 0
        tally.ahead.append(error[seen])
        tally.iou.append(iou(sides(truth[seen]), sides(boxes[seen])))
        tally.inside.append(inside[seen])
        tally.inside_hidden.append(inside[misses >= HIDDEN_FRAMES[0]])
        for frames, errors in tally.hidden.items():
            errors.append(error[misses == frames - 1])
        returns = self._observed[frame, self._columns[here]] & (misses >= HIDDEN_FRAMES[0])
        tally.back.append(error[returns])

    def _see(self, frame: int) -> None:
        seen = self._observed[frame]
        rows = np.flatnonzero(seen[self._columns])
        columns = self._columns[rows]
        boxes, score = self._one.seen[frame], self._one.score[frame]
        with self._clock():
            self._model.update(rows, boxes[columns], score[columns])
        self._misses += 1
        self._misses[rows] = 0
        self._hits[rows] += 1
        new = np.setdiff1d(np.flatnonzero(seen), self._columns)
        if len(new):
            self._model.initiate(boxes[new], score[new])
            self._columns = np.concatenate((self._columns, new))
            self._hits = np.concatenate((self._hits, np.ones(len(new), np.int64)))
            self._misses = np.concatenate((self._misses, np.zeros(len(new), np.int64)))
