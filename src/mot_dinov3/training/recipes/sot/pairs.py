"""Examples from sequences of single objects: two of its pictures and more, some frames apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mot_dinov3.data.single_object.base import SingleObjectSequence
from mot_dinov3.perception.searchers.sot_networks import SEARCH_FACTOR, TEMPLATE_FACTOR
from mot_dinov3.perception.searchers.windows import plan_window
from mot_dinov3.training.recipes.sot.examples import Example, Sizes, cut_with_box, vary
from mot_dinov3.values import FloatArray, Image, IntArray

NEAR, FAR = (0.08, 0.08), (0.9, 0.25)
"""How far windows of templates and of the search are off: in roots of the object's area, and in
the logarithm of their side."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some pictures of a sequence.

    Attributes:
        sequence: all of it.
        rows: (N,) int64 the pictures, in which it is known where the object is; one at least.
        footage: number of the pictures' source, which other sequences may share.
    """

    sequence: SingleObjectSequence
    rows: IntArray
    footage: int


@dataclass(frozen=True, slots=True)
class PairRules:
    """How examples are drawn.

    Attributes:
        gap_frames: largest distance of two pictures of an example.
        absent: share of the examples whose templates show an object of another video.
    """

    gap_frames: int
    absent: float


class SequencePairs:
    """Draws examples from sequences; long ones are drawn more often, by the root of their length.

    Args:
        parts: what to draw from, one at least.
        sizes: of the pictures.
        rules: how.
    """

    def __init__(self, parts: Sequence[Part], sizes: Sizes, rules: PairRules) -> None:
        self._parts, self._sizes, self._rules = parts, sizes, rules
        weights = np.sqrt([len(part.rows) for part in parts])
        self._chances = weights / weights.sum()
        self._footage = np.array([part.footage for part in parts])

    def draw(self, rng: np.random.Generator) -> Example:
        """One example; the object is somewhere in the search picture, or another is looked for."""
        chosen = int(rng.choice(len(self._parts), p=self._chances))
        part = self._parts[chosen]
        here = int(rng.choice(part.rows))
        shown = part
        others = (self._footage != self._footage[chosen]).nonzero()[0]
        if len(others) and rng.random() < self._rules.absent:
            shown = self._parts[int(rng.choice(others))]
        looks = self._choose_looks(rng, shown, here if shown is part else int(shown.rows[0]))
        cuts = [self._cut(rng, shown, row, near=True) for row in looks]
        search, box = self._cut(rng, part, here, near=False)
        if shown is not part:
            box = np.full(4, np.nan)
        return vary(Example([cut[0] for cut in cuts], [cut[1] for cut in cuts], search, box), rng)

    def _choose_looks(self, rng: np.random.Generator, part: Part, here: int) -> list[int]:
        rows = part.rows[np.abs(part.rows - here) <= self._rules.gap_frames]
        return [int(row) for row in rng.choice(rows, self._sizes.templates)]

    def _cut(
        self, rng: np.random.Generator, part: Part, row: int, *, near: bool
    ) -> tuple[Image, FloatArray]:
        """A window round the object in one picture, a little off, and its box there."""
        xyxy = part.sequence.boxes[row]
        factor = TEMPLATE_FACTOR if near else SEARCH_FACTOR
        size_px = self._sizes.template_px if near else self._sizes.search_px
        off, growth = NEAR if near else FAR
        root = np.sqrt((xyxy[2:] - xyxy[:2]).prod())
        moved = xyxy + np.tile(rng.uniform(-off, off, 2) * root, 2).astype(np.float32)
        window = plan_window(moved, factor * np.exp(rng.uniform(-growth, growth)))
        return cut_with_box(part.sequence.pictures[row], window, xyxy, size_px)
