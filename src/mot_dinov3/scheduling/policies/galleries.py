"""What an embedding is worth to the gallery of the track that a detection continues.

A gallery needs an embedding if it has few, if its last one is old for a track that changes so fast,
or if the object will soon be covered or out of the picture: then this is the last chance for long.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mot_dinov3.scheduling.policies.base import PlanInput
from mot_dinov3.scheduling.policies.worth import Worth
from mot_dinov3.values import BoolArray, FloatArray, IntArray, Reason
from mot_dinov3.values.boxes import find_overlapping, intersection, sides, take_boxes


def rate_galleries(
    scene: PlanInput, track: IntArray, worth: Worth
) -> tuple[FloatArray, NDArray[np.int8], IntArray]:
    """Rate an embedding of every detection by what it is worth to the gallery of its track.

    Args:
        scene: the frame as policies see it.
        track: (N,) the continued track, -1 for none.
        worth: what embeddings are worth.

    Returns:
        (N,) the worth, (N,) a `Reason` and (N,) the frames since the track's last embedding.
    """
    n = len(track)
    if not len(scene.track_id):
        return np.zeros(n, np.float32), np.full(n, Reason.STABLE, np.int8), np.zeros(n, np.int64)
    # An embedding ages faster if the track changes, and at once if the track is about to vanish.
    vanishing = _find_vanishing(scene, worth)
    age = scene.staleness * (1.0 + scene.drift / worth.drift)
    age = np.where(vanishing, age + worth.snapshot, age)
    refresh = np.where(scene.known, age / (age + worth.half_life), 0.0)
    # The last step is for a gallery that has all embeddings of `worth.enrol`.
    steps = np.array([*worth.enrol, 0.0], np.float32)
    enrol = steps[np.minimum(scene.gallery_count, len(steps) - 1)] * scene.confirmed
    value = np.maximum(enrol, refresh)
    reason = np.where(vanishing, Reason.SNAPSHOT, Reason.DRIFT)
    reason[enrol >= refresh] = Reason.ENROL
    disputed = scene.disputed & (value < worth.arbitrate)
    value[disputed], reason[disputed] = worth.arbitrate, Reason.ARBITRATE
    continues = track >= 0
    return (
        np.where(continues, value[track], 0.0).astype(np.float32),
        np.where(continues, reason[track], Reason.STABLE).astype(np.int8),
        np.where(continues, scene.staleness[track], 0),
    )


def find_first(scene: PlanInput, track: IntArray) -> BoolArray:
    """(N,) detections that continue a confirmed track without any embedding yet.

    Args:
        scene: the frame as policies see it.
        track: (N,) the continued track, -1 for none.
    """
    unknown = np.append(scene.confirmed & ~scene.known, False)  # the last one is for no track
    return np.asarray(unknown[track] & scene.eligible, np.bool_)


def _find_vanishing(scene: PlanInput, worth: Worth) -> BoolArray:
    """(T,) tracks that will soon be covered by a nearer one or be out of the picture.

    The camera is above the ground, so the lower of two objects in the picture is the nearer one.
    """
    ahead = sides(scene.ahead_xyxy)
    i, j = find_overlapping(ahead, ahead)
    lower = (ahead[3, i] < ahead[3, j]).nonzero()[0]
    behind, nearer = i[lower], j[lower]
    width, height = ahead[2:] - ahead[:2]
    across, down = intersection(take_boxes(ahead, behind), take_boxes(ahead, nearer))
    hidden = across * down >= worth.covered * np.maximum(width * height, 1e-6)[behind]
    vanishing = np.zeros(len(scene.track_id), np.bool_)
    vanishing[behind[hidden]] = True
    if scene.frame_wh[0]:
        middle = (ahead[:2] + ahead[2:]) / 2
        x, y = middle
        vanishing |= (middle < 0).any(axis=0) | (x > scene.frame_wh[0]) | (y > scene.frame_wh[1])
    return vanishing
