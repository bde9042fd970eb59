"""One object followed through a sequence by a searcher alone, as benchmarks have it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from mot_dinov3.data.single_object.base import SingleObjectSequence
from mot_dinov3.perception.searchers.base import Searcher
from mot_dinov3.values import FloatArray, check_shapes


@dataclass(frozen=True, slots=True)
class Followed:
    """Where an object was found in every picture of a sequence; row 0 is the box that was shown.

    Attributes:
        xyxy: (N, 4) float32 pixels.
        score: (N,) float32 of the searcher, 1 in row 0.
        search_ms: (N,) float32 time of the search, 0 in row 0; the picture's reading not in it.
    """

    xyxy: FloatArray
    score: FloatArray
    search_ms: FloatArray

    def __post_init__(self) -> None:
        n = len(self.score)
        check_shapes(
            "Followed", xyxy=(self.xyxy, (n, 4)), score=(self.score, (n,)),
            search_ms=(self.search_ms, (n,)),
        )  # fmt: skip


def follow_sequence(
    searcher: Searcher,
    sequence: SingleObjectSequence,
    report: Callable[[int], object] = lambda more: None,
) -> Followed:
    """Show the first box, then search in every picture, and never help.

    The object is expected where it was found last, so a searcher that believes what is expected
    gives a box that stands still. Where nothing is found the last box stays.

    Args:
        searcher: starts anew, see `Searcher.renew`.
        sequence: pictures; of its boxes only the first is used.
        report: is told of each picture that is done.

    Raises:
        InputError: a picture cannot be read.
    """
    searcher, n, who = searcher.renew(), len(sequence), np.ones(1, np.int64)
    xyxy = np.repeat(sequence.boxes[:1], n, axis=0)
    score, search_ms = np.ones(n, np.float32), np.zeros(n, np.float32)
    searcher.show(sequence.read_frame(0), who, xyxy[:1])
    report(1)
    for row in range(1, n):
        frame = sequence.read_frame(row)
        started_s = perf_counter()
        finds = searcher.search(frame, who, xyxy[row - 1 : row].copy())
        search_ms[row] = (perf_counter() - started_s) * 1000
        xyxy[row], score[row] = finds.xyxy[0], finds.score[0]
        report(1)
    return Followed(xyxy, score, search_ms)
