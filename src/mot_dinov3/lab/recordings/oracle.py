"""The oracle: sees the ground truth and the embeddings before it pays for any.

It bounds what a policy can reach. In every frame it asks association what it would do with no
embedding and with all of them. Only where all of them name more identities rightly does it embed,
and then the fewest rows it finds that do as well; besides, every track gets a few good views.
Each frame is judged by itself, so it is a strong example and not a proof of a limit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from mot_dinov3.config import SchedulerConfig
from mot_dinov3.io.formats.mot import MotTable
from mot_dinov3.scheduling.policies.base import Argument, PlanInput, Policy
from mot_dinov3.scheduling.policies.continuity import find_claimed_tracks
from mot_dinov3.tracking.assignment import solve
from mot_dinov3.tracking.association.base import Comparison, TrackView
from mot_dinov3.tracking.tracker import Tracker
from mot_dinov3.values import (
    BoolArray,
    Detections,
    Embeddings,
    EmbedPlan,
    FloatArray,
    FrameResult,
    IntArray,
    Matches,
    Reason,
    follow_ids,
)
from mot_dinov3.values.boxes import iou_matrix

DEFAULT_VIEWS = 3.0
"""Good views that a track is given before anything goes wrong."""

SPACED_FRAMES = 5
"""Frames between two of them."""

GOOD_QUALITY = 0.5
"""Crops that show less are compared, but not remembered."""

MATCH_IOU = 0.5
MOST_TRIED = 24
"""Rows that are left out one by one to see whether they are needed."""

VectorsOf = Callable[[int], FloatArray]
"""Index of a frame in the source -> (N, D) vectors of all its detections."""


class ObservedTracker(Tracker):
    """A tracker that lets the oracle see what association is about to be asked."""

    seen: tuple[Comparison, TrackView]

    def compare(
        self,
        detections: Detections,
        view: TrackView,
        cheap_vectors: FloatArray | None = None,
        size: tuple[int, int] = (0, 0),
    ) -> Comparison:
        """As `Tracker.compare`."""
        scene = super().compare(detections, view, cheap_vectors, size)
        self.seen = scene, view
        return scene


class OraclePolicy(Policy):
    """`oracle:K` gives every track K good views and else embeds only against mistakes."""

    argument = Argument("K", DEFAULT_VIEWS, least=0, low=0, high=10, digits=0)

    def __init__(
        self, config: SchedulerConfig, argument: str, truth: MotTable, frames: Sequence[int]
    ) -> None:
        """Look into the truth.

        Args:
            config: for the gate of continuity.
            argument: K, empty for the default.
            truth: who is where.
            frames: index in the source of each frame that will be tracked, in order.

        Raises:
            UsageError: K is not a number from 0.
        """
        self.config = config
        self.views = self.argument.read("oracle", argument)
        self.truth = truth
        self.frames = frames
        self._held: dict[int, Counter[int]] = {}
        self._who: IntArray = np.empty(0, np.int64)
        self._tracker: ObservedTracker | None = None
        self._vectors_of: VectorsOf = lambda _: np.empty((0, 0), np.float32)

    def attach(self, tracker: ObservedTracker, vectors_of: VectorsOf) -> None:
        """Let it ask the tracker's association, with the embeddings that were recorded."""
        self._tracker, self._vectors_of = tracker, vectors_of

    def learn(self, result: FrameResult) -> None:
        """See how the frame that was planned last ended: which track held which identity."""
        follow_ids(self._held, result.tracks)
        for track, row in zip(result.tracks.id, result.tracks.detection, strict=True):
            if row >= 0 and self._who[row] > 0:
                self._held.setdefault(int(track), Counter())[int(self._who[row])] += 1

    def plan(self, scene: PlanInput) -> EmbedPlan:
        """Critical against mistakes, refresh for good views, reuse else."""
        index = self.frames[scene.frame_index]
        self._who = self._match_identities(scene, index)
        needed = self._choose_needed(scene, self._vectors_of(index))
        track, continues = find_claimed_tracks(scene, self.config.iou_gate)
        views = self._choose_views(scene, track, continues) & ~needed
        reason = np.full(len(scene), Reason.STABLE, np.int8)
        reason[views], reason[needed] = Reason.ENROL, Reason.AMBIGUOUS
        reason[~scene.eligible] = Reason.LOW_SCORE
        return EmbedPlan(
            critical=np.flatnonzero(needed),
            refresh=np.flatnonzero(views),
            reuse=np.flatnonzero(~needed & ~views),
            track=track,
            reason=reason,
            poor=np.flatnonzero(needed & (scene.quality < GOOD_QUALITY)),
        )

    def _match_identities(self, scene: PlanInput, index: int) -> IntArray:
        """(N,) true identity of each detection, 0 for none."""
        here = self.truth.rows_of(index)
        iou = iou_matrix(scene.xyxy, self.truth.xyxy[here])
        rows, columns = solve(-iou)
        good = iou[rows, columns] >= MATCH_IOU
        out = np.zeros(len(scene), np.int64)
        out[rows[good]] = self.truth.track_id[here][columns[good]]
        return out

    def _choose_needed(self, scene: PlanInput, vectors: FloatArray) -> BoolArray:
        """Find the fewest rows with which association does as well as with all: (N,) bool."""
        nothing = np.zeros(len(scene), np.bool_)
        everything = scene.eligible & np.isfinite(vectors).all(axis=1)
        if self._tracker is None or not everything.any():
            return nothing
        without, plain = self._try_association(nothing, vectors)
        best, full = self._try_association(everything, vectors)
        if best <= without:
            return nothing
        chosen: BoolArray = everything & (plain != full)
        if self._try_association(chosen, vectors)[0] < best:
            chosen = everything.copy()
        for row in np.flatnonzero(chosen)[:MOST_TRIED]:
            chosen[row] = False
            chosen[row] = self._try_association(chosen, vectors)[0] < best
        return chosen

    def _try_association(self, fresh: BoolArray, vectors: FloatArray) -> tuple[int, IntArray]:
        """Associate with some rows embedded: identities right less wrong, (N,) tracks of rows."""
        if self._tracker is None:
            raise ValueError("the oracle has no tracker to ask")
        scene, view = self._tracker.seen
        known = np.where(fresh[:, None], vectors, np.float32(0))
        matches: Matches = self._tracker.associator.associate(
            scene, Embeddings(known, fresh, fresh), view
        )
        track = np.zeros(len(fresh), np.int64)
        track[matches.detection_rows] = view.id[matches.track_rows]
        owner = self._find_owners(track)
        asked = (self._who > 0) & (owner > 0)
        right = asked & (owner == self._who)
        return int(right.sum()) - int((asked & ~right).sum()), track

    def _find_owners(self, track_id: IntArray) -> IntArray:
        """Find the identity that each track held most often so far, 0 for none."""
        held = (self._held.get(int(number)) for number in track_id)
        return np.array([item.most_common(1)[0][0] if item else 0 for item in held], np.int64)

    def _choose_views(self, scene: PlanInput, track: IntArray, continues: BoolArray) -> BoolArray:
        """Good views of tracks that remember too little."""
        if not len(scene.track_id):
            return np.zeros(len(scene), np.bool_)
        few = scene.gallery_count[track] < self.views
        rested = (scene.staleness[track] >= SPACED_FRAMES) | ~scene.known[track]
        owner = self._find_owners(scene.track_id)
        mine = owner[track] == self._who
        good = scene.eligible & (scene.quality >= GOOD_QUALITY)
        return np.asarray(continues & few & rested & good & mine, np.bool_)
