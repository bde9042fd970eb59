"""What a searcher is to the rest of the package, and what its table says of it.

A new searcher is one file with a class that fits `Searcher` and a `SearcherKind` that loads it,
and one line in `factory.SEARCHERS`::

    FACES = SearcherKind(load_faces, argument="FILE")
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

from mot_dinov3.config import DeviceConfig
from mot_dinov3.values import FloatArray, Frame, IntArray, check_shapes


@dataclass(frozen=True, slots=True)
class Finds:
    """Where targets were found; row i of both arrays is the i-th target that was asked for.

    Attributes:
        xyxy: (T, 4) float32 pixels of the frame; what was asked for in rows that were not found.
        score: (T,) float32, how sure the searcher is, 0 to 1; 0 for what was not found.
    """

    xyxy: FloatArray
    score: FloatArray

    def __post_init__(self) -> None:
        n = len(self.score)
        check_shapes("Finds", xyxy=(self.xyxy, (n, 4)), score=(self.score, (n,)))

    def __len__(self) -> int:
        return len(self.score)

    @classmethod
    def nothing(cls, expected: FloatArray) -> Finds:
        """No target was found where the boxes `expected` (T, 4) are."""
        return cls(expected, np.zeros(len(expected), np.float32))


class Searcher(Protocol):
    """Follows targets from frame to frame, each known by a number that the caller gives it.

    A target is shown to it once, in a box that is certain, and is then searched in the frames that
    come after; frames come in order, and some may be left out::

        searcher.show(frame, ids, xyxy)
        finds = searcher.search(next_frame, ids, expected)
    """

    @property
    def title(self) -> str:
        """What runs, for the summary, such as "nano nanotrackv2_backbone.onnx, cpu"."""

    @property
    def fingerprint(self) -> str:
        """What tells its weights from others, see `weights_digest`; "built in" without any."""

    @property
    def sure(self) -> float:
        """The score from which on a find may be believed, between 0 and 1."""

    @property
    def knows_look(self) -> bool:
        """Whether it knows an object by its look, and not only by where it went."""
        return True

    def show(self, frame: Frame, ids: IntArray, xyxy: FloatArray) -> None:
        """Learn how targets look, and where they are; what was known of them is replaced.

        Args:
            frame: a picture that shows them.
            ids: (T,) int64 their numbers.
            xyxy: (T, 4) float32 their boxes in pixels; may reach over the border.
        """

    def search(self, frame: Frame, ids: IntArray, expected: FloatArray) -> Finds:
        """Find targets in a later frame than the one that they were shown or found in last.

        Args:
            frame: the picture.
            ids: (T,) int64 targets that were shown.
            expected: (T, 4) float32 where they may be, by their motion so far.
        """

    def forget(self, ids: IntArray) -> None:
        """Stop following targets; numbers that are not known are left out."""

    def renew(self) -> Self:
        """A searcher with the same weights that follows nothing yet, for another clip."""


@dataclass(frozen=True, slots=True)
class SearcherKind:
    """A row of the table: how a searcher is loaded, and what is asked before it is.

    Attributes:
        load: builds the searcher, weights loaded and ready, from what follows its name in
            `--searcher`, a torch device string, and backend and precision. Raises `MotError` where
            that is not possible.
        argument: what follows its name in `--searcher NAME:...`, such as "FILE"; "" for nothing.
        needs_pixels: it looks at pictures, so a source without images is refused.
    """

    load: Callable[[str, str, DeviceConfig], Searcher]
    argument: str = ""
    needs_pixels: bool = True
