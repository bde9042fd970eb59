"""What the first stage of the cascade may choose from, with place and appearance in the cost.

Appearance is believed with care. A detection without confidence, or a second box on an object, can
look like any object that left; so a lost track is woken by its looks only if the detection is
strong, and is not a duplicate of a better one. In the other direction a weak detection counts as a
strong one for the track that it looks like.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mot_dinov3.config import AssociationConfig
from mot_dinov3.tracking.association import place
from mot_dinov3.tracking.association.base import Comparison, TrackView
from mot_dinov3.tracking.association.costs import blend, distinctness
from mot_dinov3.tracking.motion.base import CHI2_95_2DOF
from mot_dinov3.values import LOST, BoolArray, Detections, Embeddings, FloatArray, IntArray
from mot_dinov3.values.boxes import find_overlapping, iou, sides, take_boxes

DUPLICATE_IOU = 0.4
"""A detection that overlaps a more confident one by more is a second box on that object."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """The K pairs that the first stage may choose from.

    Attributes:
        rows: (K,) int64 detections.
        columns: (K,) int64 tracks.
        cost: (K,) float32 of place and appearance.
        has_evidence: (K,) bool, the cost is not of place alone.
        agrees: (K,) bool, the detection looks like the track, and is not a duplicate.
    """

    rows: IntArray
    columns: IntArray
    cost: FloatArray
    has_evidence: BoolArray
    agrees: BoolArray

    def select(self, pairs: BoolArray) -> Candidates:
        """Keep `pairs` (K,)."""
        return Candidates(
            self.rows[pairs],
            self.columns[pairs],
            self.cost[pairs],
            self.has_evidence[pairs],
            self.agrees[pairs],
        )


def find_duplicates(detections: Detections) -> BoolArray:
    """(N,) detections that are a second box on an object of their class, see `DUPLICATE_IOU`.

    Of two with the same score, the first one is the object's.
    """
    boxes, score = sides(detections.xyxy), detections.score
    i, j = find_overlapping(boxes, boxes)
    worse = (score[i] < score[j]) | ((score[i] == score[j]) & (i > j))
    worse &= detections.class_id[i] == detections.class_id[j]
    i, j = i[worse], j[worse]
    out = np.zeros(len(detections), np.bool_)
    out[i[iou(take_boxes(boxes, i), take_boxes(boxes, j)) > DUPLICATE_IOU]] = True
    return out


def find_waking(comparison: Comparison, duplicate: BoolArray) -> BoolArray:
    """(N,) detections that may wake a lost track by their looks: strong, and not a `duplicate`."""
    return comparison.strong & ~duplicate


def collect_candidates(
    comparison: Comparison,
    embeddings: Embeddings,
    view: TrackView,
    duplicate: BoolArray,
    config: AssociationConfig,
) -> Candidates:
    """Collect what the first stage may choose from: pairs that are near, or look alike.

    Args:
        comparison: the frame.
        embeddings: what is known of its detections' appearance.
        view: the prediction.
        duplicate: (N,) see `find_duplicates`.
        config: gates and costs.
    """
    near, known = comparison.near, view.gallery.known
    close = (near.overlap >= config.match_iou).nonzero()[0]
    rows, columns, cost = near.rows[close], near.columns[close], near.cost[close]
    fresh = embeddings.fresh.nonzero()[0]
    if not len(fresh) or not view.gallery.dim or not view.scale.tells_apart:
        nothing = np.zeros(len(rows), np.bool_)
        return Candidates(rows, columns, cost, nothing, nothing)

    # Where both sides have an embedding, it replaces the cheap evidence in the cost.
    is_fresh = embeddings.fresh[rows]
    evidence = is_fresh & known[columns]
    if comparison.cheap is not None:
        cost[evidence] -= comparison.cheap.added_cost[close[evidence]]

    # Add the pairs that look alike and are not near. `similarity` (F, T) has a line for each
    # detection that was embedded; `line_of` (N,) means nothing for the others.
    similarity = view.gallery.similarity(embeddings.vectors[fresh])
    line_of = embeddings.fresh.cumsum() - 1
    alike = similarity >= view.scale.gate
    waking = find_waking(comparison, duplicate)
    alike &= waking[fresh, None]
    alike[line_of[rows[is_fresh]], columns[is_fresh]] = False
    far_rows, far_columns = find_possible(comparison, view, fresh, alike)
    if len(far_rows):
        far = place.compare_pairs(comparison.detections, view, far_rows, far_columns, config)
        rows, columns = np.concatenate((rows, far_rows)), np.concatenate((columns, far_columns))
        cost = np.concatenate((cost, far.cost))
        evidence = embeddings.fresh[rows] & known[columns]

    lines = line_of[rows]
    cosine, memory_s = similarity[lines, columns], view.memory_s[columns]
    weight = weigh_appearance(similarity, known, lines, columns, config)
    weight = weight * view.scale.believe(memory_s)
    cost = blend(cost, view.scale.cost(cosine, memory_s), evidence, weight)
    agrees = evidence & (cosine >= view.scale.gate) & ~duplicate[rows]
    possible = agrees | waking[rows] | ~evidence | (view.state[columns] != LOST)
    return Candidates(rows, columns, cost, evidence, agrees).select(possible)


def find_possible(
    comparison: Comparison, view: TrackView, fresh: IntArray, alike: BoolArray
) -> tuple[IntArray, IntArray]:
    """Find the pairs that look alike, of one class, and where motion allows the track to be.

    Args:
        comparison: the frame.
        view: its prediction.
        fresh: (F,) the detections that were embedded.
        alike: (F, T) whether they look like a track.

    Returns:
        (K,) detections and (K,) tracks.
    """
    detections = comparison.detections
    lines, columns = alike.nonzero()
    rows = fresh[lines]
    same_class = (detections.class_id[rows] == view.class_id[columns]).nonzero()[0]
    rows, columns = rows[same_class], columns[same_class]
    if not len(rows):
        return rows, columns
    boxes, predicted = detections.xyxy[rows], view.xyxy[columns]
    possible = view.motion.gate_distance(boxes, columns) <= CHI2_95_2DOF
    possible |= place.is_reachable(sides(boxes), sides(predicted), view.lost_s[columns])
    return rows[possible], columns[possible]


def weigh_appearance(
    similarity: FloatArray,
    known: BoolArray,
    lines: IntArray,
    columns: IntArray,
    config: AssociationConfig,
) -> float | FloatArray:
    """Share of appearance in the costs of pairs, one for all or (K,).

    Args:
        similarity: (F, T) cosines of embedded detections with the galleries.
        known: (T,) tracks that have a gallery.
        lines: (K,) the line of each pair in `similarity`.
        columns: (K,) its track.
        config: the share, and whether it adapts.
    """
    if not config.adaptive_appearance:
        return config.appearance_weight
    anywhere = np.broadcast_to(known, similarity.shape)
    return config.appearance_weight * distinctness(similarity, anywhere)[lines, columns]
