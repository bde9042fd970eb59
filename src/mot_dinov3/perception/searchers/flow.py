"""Optical flow of points in the box: no weights, and the more targets the better it pays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Self, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from mot_dinov3.config import DeviceConfig
from mot_dinov3.perception.searchers.base import Finds, Searcher, SearcherKind
from mot_dinov3.values import BoolArray, FloatArray, Frame, Image, IntArray

HEIGHT_PX = 480
"""Pictures are made at most this high: flow of large ones costs time and is no better."""
GRID = 5
"""Points across and down a box."""
INNER = 0.6
"""Share of a box's width and height that points lie in: the rest shows much of what is behind."""
WINDOW_PX, LEVELS = 13, 3
"""Of the flow: the window that is compared, and how often the picture is halved."""
LEVELS_BACK = 1
"""The same of the way back, which begins where it should end."""
STEPS, STEP_PX = 10, 0.03
"""Of the flow of a point at each size: the most, and the least that is worth another one."""
RETURN_PX = 0.7
"""A point that is followed to the next picture and back must come home as near as this."""
AGREE_PX, FIRST_PX, ROUNDS = 1.5, 3.0, 3
"""A point agrees with a similarity that takes it so near to where it went. At first those agree
that moved alike, as growth and turns are not known yet; then it is fitted so many times."""
LEAST_POINTS = 6
"""With fewer points that agree nothing is said of a target."""
LEAST_SIDE_PX = 4
MOST_SCALE = 1.15
"""A box grows or shrinks by no more than this from one picture to the next."""
SURE = 0.25

ComplexArray: TypeAlias = npt.NDArray[np.complex128]


class Place(NamedTuple):
    """Where a target was last.

    Attributes:
        frame_index: of that picture.
        xyxy: (4,) its box in small pixels.
    """

    frame_index: int
    xyxy: FloatArray


class FlowSearcher(Searcher):
    """Moves a box as the points in it move.

    Lucas and Kanade 1981 in a pyramid for the flow, by OpenCV; points count that come home when
    they are followed back (Kalal et al. 2010, "Forward-backward error"); the similarity that most
    of them agree with moves and scales the box. The score is the share of the points that agree.
    """

    title = "flow"
    fingerprint = "built in"
    sure = SURE
    knows_look = False

    def __init__(self) -> None:
        self._pictures: dict[int, Image] = {}
        self._places: dict[int, Place] = {}

    def show(self, frame: Frame, ids: IntArray, xyxy: FloatArray) -> None:
        """Remember the picture, and where targets are in it."""
        self._read(frame)
        self._place(frame, ids, xyxy)

    def search(self, frame: Frame, ids: IntArray, expected: FloatArray) -> Finds:
        """Move every box as its points moved since it was shown or found last."""
        finds = Finds.nothing(np.array(expected, np.float32))
        here = self._read(frame)
        numbers = ids.tolist()
        for index in sorted({self._places[n].frame_index for n in numbers if n in self._places}):
            if index == frame.index:
                continue
            rows = [
                row
                for row, n in enumerate(numbers)
                if n in self._places and self._places[n].frame_index == index
            ]
            self._search_from(index, here, rows, numbers, finds, frame)
        found = finds.score > 0
        self._place(frame, ids[found], finds.xyxy[found])
        return finds

    def forget(self, ids: IntArray) -> None:
        """Forget where targets are, and pictures that none was last seen in."""
        for n in ids.tolist():
            self._places.pop(n, None)
        self._drop_pictures()

    def renew(self) -> Self:
        """One that follows nothing yet."""
        return type(self)()

    def _search_from(
        self,
        index: int,
        here: Image,
        rows: list[int],
        numbers: list[int],
        finds: Finds,
        frame: Frame,
    ) -> None:
        """Find the targets in `rows` that were last in frame `index`; fills `finds`."""
        scale = find_scale(frame)
        before = np.stack([self._places[numbers[row]].xyxy for row in rows])
        hints = finds.xyxy[rows] * scale
        moved, score = move_boxes(self._pictures[index], here, before, hints)
        found = score > 0
        at = np.array(rows)[found]
        finds.xyxy[at] = moved[found] / scale
        finds.score[at] = score[found]

    def _read(self, frame: Frame) -> Image:
        if frame.index not in self._pictures:
            self._pictures[frame.index] = shrink(frame)
        return self._pictures[frame.index]

    def _place(self, frame: Frame, ids: IntArray, xyxy: FloatArray) -> None:
        small = np.asarray(xyxy, np.float32) * find_scale(frame)
        for n, box in zip(ids.tolist(), small, strict=True):
            self._places[n] = Place(frame.index, box)
        self._drop_pictures(frame.index)

    def _drop_pictures(self, newest: int = -1) -> None:
        used = {place.frame_index for place in self._places.values()} | {newest}
        for index in [index for index in self._pictures if index not in used]:
            del self._pictures[index]


def find_scale(frame: Frame) -> np.float32:
    """How much smaller the picture is that flow looks at."""
    return np.float32(min(1.0, HEIGHT_PX / frame.height))


def shrink(frame: Frame) -> Image:
    """The small grey picture that flow looks at."""
    scale = float(find_scale(frame))
    grey = cv2.cvtColor(frame.image, cv2.COLOR_BGR2GRAY)
    if scale < 1:
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    return np.asarray(grey, np.uint8)


def move_boxes(
    before: Image, after: Image, xyxy: FloatArray, hints: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Where boxes are after the points in them moved.

    Args:
        before: grey picture that shows the boxes.
        after: a later one.
        xyxy: (T, 4) float32 the boxes.
        hints: (T, 4) float32 where they may be, from which points are looked for.

    Returns:
        (T, 4) float32 boxes, and (T,) float32 the shares of points that agree; 0 for boxes of
        which too little is seen, whose rows mean nothing.
    """
    points, guesses = spread_points(xyxy), spread_points(hints)
    there, good = follow_points(before, after, points.reshape(-1, 2), guesses.reshape(-1, 2))
    large = np.all(xyxy[:, 2:] - xyxy[:, :2] >= 1, axis=1, keepdims=True)
    seen = np.asarray(good.reshape(points.shape[:2]) & large, np.bool_)
    fits = fit_similarities(points, there.reshape(points.shape), seen)
    score = np.where(fits.agreed >= LEAST_POINTS, fits.agreed / points.shape[1], 0)
    return fits.move(xyxy), score.astype(np.float32)


def spread_points(xyxy: FloatArray) -> FloatArray:
    """(T, GRID * GRID, 2) float32 points in the inner part of boxes (T, 4)."""
    steps = (np.arange(GRID, dtype=np.float32) + 0.5) / GRID - 0.5
    grid = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2) * np.float32(INNER)
    centre, sides = (xyxy[:, 2:] + xyxy[:, :2]) / 2, xyxy[:, 2:] - xyxy[:, :2]
    return np.asarray(centre[:, None] + grid * sides[:, None], np.float32)


def follow_points(
    before: Image, after: Image, points: FloatArray, guesses: FloatArray
) -> tuple[FloatArray, BoolArray]:
    """Where points (P, 2) went, beginning to look at `guesses` (P, 2), and which came home."""
    if not len(points):
        return points, np.zeros(0, np.bool_)
    there, found = run_flow(before, after, points, guesses, LEVELS)
    back, home = run_flow(after, before, there, points, LEVELS_BACK)
    good = found & home & (np.linalg.norm(back - points, axis=1) <= RETURN_PX)
    return there, np.asarray(good, np.bool_)


def run_flow(
    before: Image, after: Image, points: FloatArray, guesses: FloatArray, levels: int
) -> tuple[FloatArray, BoolArray]:
    """Where points (P, 2) of a picture are in another one, and which were found."""
    there, found, _ = cv2.calcOpticalFlowPyrLK(
        before,
        after,
        points,
        guesses.copy(),
        winSize=(WINDOW_PX, WINDOW_PX),
        maxLevel=levels,
        criteria=(cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, STEPS, STEP_PX),
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    return np.asarray(there, np.float32), found.ravel() == 1


@dataclass(frozen=True, slots=True)
class Similarities:
    """Similarities of the plane, one a row, as complex numbers x + iy.

    Attributes:
        turn: (T, 1) by which what is seen from `middle` is turned and scaled.
        middle: (T, 1) a point.
        goal: (T, 1) where it goes.
        agreed: (T,) points that agree.
    """

    turn: ComplexArray
    middle: ComplexArray
    goal: ComplexArray
    agreed: IntArray

    def move(self, xyxy: FloatArray) -> FloatArray:
        """Boxes (T, 4) moved and scaled, but not turned."""
        centre = to_complex((xyxy[:, None, :2] + xyxy[:, None, 2:]) / np.float32(2))
        moved = self.turn * (centre - self.middle) + self.goal
        growth = np.clip(np.abs(self.turn), 1 / MOST_SCALE, MOST_SCALE)
        half = np.maximum((xyxy[:, 2:] - xyxy[:, :2]) * growth, LEAST_SIDE_PX) / 2
        centre = np.concatenate([moved.real, moved.imag], axis=1)
        return np.concatenate([centre - half, centre + half], axis=1).astype(np.float32)


def fit_similarities(here: FloatArray, there: FloatArray, seen: BoolArray) -> Similarities:
    """The similarities that most of the points agree with, by least squares over those.

    Args:
        here: (T, P, 2) points of T boxes.
        there: (T, P, 2) where they went.
        seen: (T, P) those that count.
    """
    z, w = to_complex(here), to_complex(there)
    moves = w - z
    alike = np.abs(moves[:, :, None] - moves[:, None]) <= FIRST_PX
    alike &= seen[:, :, None] & seen[:, None]
    agree = alike[np.arange(len(z)), alike.sum(axis=2).argmax(axis=1)]
    for _ in range(ROUNDS):
        count = np.maximum(agree.sum(axis=1, keepdims=True), 1)
        middle = (agree * z).sum(axis=1, keepdims=True) / count
        goal = (agree * w).sum(axis=1, keepdims=True) / count
        arms, spread = agree * (z - middle).conj(), agree * np.abs(z - middle) ** 2
        turn = (arms * (w - goal)).sum(axis=1, keepdims=True)
        turn /= np.maximum(spread.sum(axis=1, keepdims=True), 1e-9)
        agree = seen & (np.abs(turn * (z - middle) + goal - w) <= AGREE_PX)
    return Similarities(turn, middle, goal, agree.sum(axis=1))


def to_complex(points: FloatArray) -> ComplexArray:
    """Points (..., 2) as complex numbers x + iy."""
    return np.asarray(points[..., 0] + 1j * points[..., 1].astype(np.float64), np.complex128)


def load_flow(argument: str, device: str, settings: DeviceConfig) -> Searcher:
    """The searcher by optical flow."""
    return FlowSearcher()


FLOW = SearcherKind(load_flow)
