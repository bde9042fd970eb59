"""Refuses finds that do not have the colours of the object: for searchers that know no look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np

from mot_dinov3.perception.searchers.base import Finds, Searcher
from mot_dinov3.values import FloatArray, Frame, IntArray

INNER = 0.7
"""Share of a box's width and height that is looked at: the rest shows much of what is behind."""
SIDE_PX = 24
"""Width and height to which that part is brought."""
BINS = 8
"""Steps of each of the three channels."""
FIRST_USUAL = 0.9
"""How alike an object is to its first look, before anything is known of it."""
GATE = 0.8
"""Part of its usual likeness that a find must have."""
RATE = 0.05
"""Part of the newest likeness in the usual one."""


@dataclass(frozen=True, slots=True)
class Look:
    """What is known of a target's colours, and where it was seen last.

    Attributes:
        colours: (BINS ** 3,) float32 roots of the shares of its colours, of unit length.
        usual: its usual likeness to them, 0 to 1.
        frame: that showed it last.
        xyxy: (4,) its box there.
    """

    colours: FloatArray
    usual: float
    frame: Frame
    xyxy: FloatArray


class LikenessSearcher(Searcher):
    """A searcher around another one, whose finds it believes only where the colours agree.

    The likeness of two looks is the coefficient of Bhattacharyya 1943 of their colours in L*a*b*,
    as in Comaniciu et al. 2003 ("Kernel-based object tracking"). An object that turns or comes
    into shadow loses it slowly, what is found on the background loses it quickly. After such a
    find the other searcher is shown the object where it was seen last, so that it goes on there.
    """

    def __init__(self, searcher: Searcher) -> None:
        """Judge the finds of `searcher`, which follows nothing yet."""
        self._searcher = searcher
        self._looks: dict[int, Look] = {}

    @property
    def title(self) -> str:
        """The title of the searcher."""
        return self._searcher.title

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the searcher."""
        return self._searcher.fingerprint

    @property
    def sure(self) -> float:
        """The score from which on a find may be believed."""
        return self._searcher.sure

    def show(self, frame: Frame, ids: IntArray, xyxy: FloatArray) -> None:
        """Learn the colours of targets, and let the searcher learn what it does."""
        self._searcher.show(frame, ids, xyxy)
        for number, box in zip(ids.tolist(), xyxy, strict=True):
            self._looks[number] = Look(measure_colours(frame, box), FIRST_USUAL, frame, box)

    def search(self, frame: Frame, ids: IntArray, expected: FloatArray) -> Finds:
        """The finds of the searcher; score 0 for those of other colours."""
        finds = self._searcher.search(frame, ids, expected)
        xyxy, score = finds.xyxy.copy(), finds.score.copy()
        for row, number in enumerate(ids.tolist()):
            look = self._looks.get(number)
            if look is None or score[row] < self._searcher.sure:
                continue
            likeness = float(measure_colours(frame, xyxy[row]) @ look.colours)
            if likeness >= GATE * look.usual:
                usual = RATE * likeness + (1 - RATE) * look.usual
                self._looks[number] = Look(look.colours, usual, frame, xyxy[row])
            else:
                xyxy[row], score[row] = expected[row], 0
                self._searcher.show(look.frame, ids[row : row + 1], look.xyxy[None])
        return Finds(xyxy, score)

    def forget(self, ids: IntArray) -> None:
        """Forget targets and their colours."""
        self._searcher.forget(ids)
        for number in ids.tolist():
            self._looks.pop(number, None)

    def renew(self) -> Self:
        """One that follows nothing yet."""
        return type(self)(self._searcher.renew())


def measure_colours(frame: Frame, box: FloatArray) -> FloatArray:
    """(BINS ** 3,) float32 roots of the shares of colours in a box (4,); zeros outside of it."""
    centre, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) * (INNER / 2)
    size = (frame.width, frame.height)
    left, top = np.clip(np.floor(centre - half), 0, size).astype(int).tolist()
    right, bottom = np.clip(np.ceil(centre + half), 0, size).astype(int).tolist()
    if left >= right or top >= bottom:
        return np.zeros(BINS**3, np.float32)
    part = cv2.resize(
        frame.image[top:bottom, left:right], (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA
    )
    lab = cv2.cvtColor(part, cv2.COLOR_BGR2LAB)
    counts = cv2.calcHist([lab], [0, 1, 2], None, [BINS] * 3, [0, 256] * 3)
    return np.asarray(np.sqrt(counts.ravel() / SIDE_PX**2), np.float32)
