"""Learns from the run itself what the cosines of its embedder mean.

Every run has labelled pairs for nothing. Two tracks that are seen at the same time are strangers,
and so are a track and one that was lost after it began. Crops of one confirmed track some time
apart, between which place left no doubt, show the same object. What follows from the pairs is
computed in `evidence`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mot_dinov3.tracking.appearance_scale import OLD_S, AppearanceScale
from mot_dinov3.tracking.association.base import TrackView
from mot_dinov3.tracking.evidence import Evidence
from mot_dinov3.values import (
    CONFIRMED,
    TENTATIVE,
    BoolArray,
    Detections,
    DoubleArray,
    Embeddings,
    FloatArray,
    IntArray,
    Matches,
    SimilarityPrior,
)
from mot_dinov3.values.boxes import iou, iou_matrix, sides
from mot_dinov3.values.run_facts import AppearanceFacts

NEWS = 1.03
"""The scale is computed again when there are so many times as many pairs, or fewer: they fade."""

PLENTY, THINNED = 1000, 4
"""With so many pairs of strangers, one frame of so many is looked at: neighbours say the same."""

KNOWN_HITS = 3
"""Matched frames from which on a track surely is an object."""

SAME_IOU, ALONE_IOU, APART_IOU = 0.4, 0.3, 0.2
"""A detection surely continues its track from the first overlap with the prediction on, if no other
detection overlaps it by more than the second. Two detections that overlap by more than the third
may be two boxes of one object."""

TOGETHER_S = 0.2
"""Two tracks are two objects if both were tracked for so long; less may be a handover."""

SETTLED = 4
"""Embeddings from which on the mean of a track is set aside: the mean of few is further from every
crop, of strangers as well."""

ANCHOR_S = 1.0, 3.0
"""A memory that is set aside is compared from the first age on, and replaced from the second on."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """M crops of known tracks in one frame, and what is remembered of all T tracks.

    Attributes:
        rows: (M,) the track of each crop.
        similarity: (M, T) cosines with the memory of every track.
        strangers: (M, T) bool, surely another object.
        sure: (M,) bool, surely the same object as its track, of which something is remembered.
    """

    rows: IntArray
    similarity: FloatArray
    strangers: BoolArray
    sure: BoolArray


class Calibration:
    """Collects labelled pairs; row i of its arrays is row i of the tracker's.

    Attributes:
        scale: what has been learned so far.
    """

    def __init__(self, prior: SimilarityPrior, gate: float | None = None) -> None:
        """Begin without pairs.

        Args:
            prior: what is known of the embedder before the run.
            gate: a gate that the user has chosen; nothing is learned then. None to learn it.
        """
        self.learns = gate is None
        self.scale = AppearanceScale(prior.gate if gate is None else gate)
        self._evidence = Evidence(prior)
        self._counted, self._frames = 0.0, 0
        self._is_counted: BoolArray = np.zeros(0, np.bool_)
        self._born_s: DoubleArray = np.zeros(0)
        self._anchor_s: DoubleArray = np.zeros(0)
        self._anchor: FloatArray = np.zeros((0, 0), np.float32)

    def extend(self, n: int, time_s: float) -> None:
        """Append `n` tracks that begin at `time_s`."""
        self._born_s = np.concatenate((self._born_s, np.full(n, time_s)))
        self._anchor_s = np.concatenate((self._anchor_s, np.full(n, np.nan)))
        self._is_counted = np.concatenate((self._is_counted, np.zeros(n, np.bool_)))
        room = np.zeros((n, self._anchor.shape[1]), np.float32)
        self._anchor = np.concatenate((self._anchor, room))

    def keep(self, rows: IntArray | BoolArray) -> None:
        """Drop every track that is not in `rows`."""
        self._born_s, self._anchor_s = self._born_s[rows], self._anchor_s[rows]
        self._anchor, self._is_counted = self._anchor[rows], self._is_counted[rows]

    def observe(
        self,
        view: TrackView,
        matches: Matches,
        detections: Detections,
        embeddings: Embeddings,
        time_s: float,
    ) -> None:
        """Learn from the matches of a frame, before galleries take its embeddings.

        Args:
            view: the tracks as they were predicted.
            matches: which detection continues which of them.
            detections: the detections of the frame.
            embeddings: what is known of their appearance.
            time_s: of the frame.
        """
        if not self.learns or not view.gallery.dim or not embeddings.fresh.any():
            return
        self._frames += 1
        if self._evidence.strangers.total > PLENTY and self._frames % THINNED:
            return
        known = (view.state != TENTATIVE) & (view.hits >= KNOWN_HITS)
        here = known[matches.track_rows]
        rows, found = matches.track_rows[here], matches.detection_rows[here]
        good = embeddings.memorable[found]
        if not good.any():
            return
        own, crops = rows[good], found[good]
        boxes = detections.xyxy[crops]
        overlap = iou_matrix(boxes, detections.xyxy)
        overlap[np.arange(len(own)), crops] = 0.0
        strangers = self._find_strangers(view, own, rows, overlap[:, found], time_s)
        strangers &= known & view.gallery.known
        sure = view.gallery.known[own] & (view.state[own] == CONFIRMED)
        sure &= overlap.max(axis=1) < ALONE_IOU
        sure &= iou(sides(boxes), sides(view.xyxy[own])) >= SAME_IOU
        vectors = embeddings.vectors[crops]
        pairs = Pairs(own, view.gallery.similarity(vectors), strangers, sure)
        self._count(view, pairs, vectors, time_s)
        total = self._evidence.total
        if not self._counted < total < NEWS * self._counted and self._evidence.is_enough:
            self.scale, self._counted = self._evidence.compute_scale(), total

    def _find_strangers(
        self, view: TrackView, own: IntArray, rows: IntArray, overlap: FloatArray, time_s: float
    ) -> BoolArray:
        """(G, T) which tracks are other objects than the ones with a good crop.

        Args:
            view: the T tracks.
            own: (G,) the tracks with a good crop.
            rows: (M,) all tracks that are seen.
            overlap: (G, M) IoU of the former with all of them, 0 with themselves.
            time_s: of the frame.
        """
        # A track that was seen well after this one began is not this one.
        together_s = (time_s - view.lost_s)[None] - self._born_s[own][:, None]
        strangers = together_s > TOGETHER_S
        strangers[:, rows] = overlap < APART_IOU
        strangers[np.arange(len(own)), own] = False
        return strangers

    def _count(self, view: TrackView, pairs: Pairs, crops: FloatArray, time_s: float) -> None:
        """Count the distances, and set memories aside for pairs that are further apart."""
        self._evidence.strangers.add(pairs.similarity[pairs.strangers])
        new = pairs.rows[pairs.strangers.any(axis=1) & ~self._is_counted[pairs.rows]]
        self._is_counted[new] = True
        self._evidence.objects += len(new)
        rows = pairs.rows[pairs.sure]
        if not len(rows):
            return
        own = pairs.similarity[pairs.sure.nonzero()[0], rows]
        old = view.memory_s[rows] >= OLD_S
        self._evidence.same.add(own[~old])
        self._evidence.same_old.add(own[old])
        if not self._anchor.shape[1]:
            self._anchor = np.zeros((len(self._born_s), crops.shape[1]), np.float32)
        age = time_s - self._anchor_s[rows]  # NaN where nothing was set aside
        aside = ~old & (age >= ANCHOR_S[0])
        vectors = crops[pairs.sure]
        self._evidence.same_old.add((vectors * self._anchor[rows]).sum(axis=1)[aside])
        settled = view.gallery.count[rows] >= SETTLED
        renew = rows[settled & ~(age <= ANCHOR_S[1])]
        self._anchor[renew], self._anchor_s[renew] = view.gallery.mean[renew], time_s

    def report(self) -> AppearanceFacts | None:
        """What was found, for the summary; None where nothing was learned."""
        return self._evidence.report(self.scale) if self.learns else None
