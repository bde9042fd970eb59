"""People made unrecognisable: their boxes, or the upper part of them, lose all detail.

A part is averaged over a few cells and then drawn smoothly from them, so nothing but their mean
colours is left of it. Every box is treated that a frame knows: detections without a track, tracks
that are not confirmed, and lost ones at their predicted places, so that no person is shown in
between. What the detector never found stays visible.
"""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from mot_dinov3.config.tracking.drawing import BLUR_HEADS, NO_BLUR
from mot_dinov3.values import BoolArray, FloatArray, FrameResult, Image, IntArray, TrackState
from mot_dinov3.values.boxes import clip

CELLS = 4
"""Cells across the shorter side of a part."""
MOST_CELLS = 10
"""Cells along its longer side, at most."""
AROUND = 0.08
"""Room around a part as a share of its size: boxes cut off hair and feet."""
HEAD = 0.28
"""Height of a head as a share of a standing person's box, generously; no face is searched."""
ABOVE = 0.06
"""Room above a head as a share of the height of the box."""
PEOPLE = ("person", "pedestrian", "people", "face", "head")
"""Classes that have heads, and words in the names of such classes."""


def blur_people(image: Image, result: FrameResult, names: Mapping[int, str], kind: str) -> Image:
    """A copy of a picture in which people cannot be recognised; the picture itself with "off".

    Args:
        image: (H, W, 3) uint8 BGR; left as it is.
        result: of the frame.
        names: class id -> name.
        kind: value of `--blur`: "boxes" for all boxes whatever they show, "heads" for the upper
            part of those of people, and of what may be people.
    """
    if kind == NO_BLUR:
        return image
    out = np.array(image, order="C")
    hide_parts(out, find_parts(result, names, kind))
    return out


def find_parts(result: FrameResult, names: Mapping[int, str], kind: str) -> FloatArray:
    """(N, 4) xyxy of the parts of a picture that must not be shown."""
    tracks = result.tracks[result.tracks.state != TrackState.REMOVED]
    xyxy = np.concatenate((result.detections.xyxy, tracks.xyxy))
    class_id = np.concatenate((result.detections.class_id, tracks.class_id))
    known = np.isfinite(xyxy).all(axis=1)
    if kind == BLUR_HEADS:
        known &= _has_head(class_id, names)
    left, top, right, bottom = xyxy[known].T
    width, height = right - left, bottom - top
    if kind == BLUR_HEADS:
        tall = np.maximum(HEAD * height, np.minimum(0.6 * width, height))
        top, bottom = top - ABOVE * height, top + tall
        height = bottom - top
    else:
        top, bottom = top - AROUND * height, bottom + AROUND * height
    return np.stack((left - AROUND * width, top, right + AROUND * width, bottom), axis=1)


def _has_head(class_id: IntArray, names: Mapping[int, str]) -> BoolArray:
    """(N,) whether each class may be one of people: also one without a name.

    Where no class is called one of people, as that of whatever moves, all of them may be.
    """
    if not any(map(_names_people, names.values())):
        return np.ones(len(class_id), np.bool_)
    said = {int(i): names.get(int(i), "") for i in np.unique(class_id)}
    people = {i for i, name in said.items() if not name or _names_people(name)}
    return np.isin(class_id, sorted(people))


def _names_people(name: str) -> bool:
    return any(word in name.lower() for word in PEOPLE)


def hide_parts(image: Image, parts: FloatArray) -> None:
    """Take all detail out of parts of a picture.

    Args:
        image: (H, W, 3) uint8 BGR, changed.
        parts: (N, 4) float32 xyxy.
    """
    inside = clip(parts, image.shape[1], image.shape[0])
    whole = np.concatenate((np.floor(inside[:, :2]), np.ceil(inside[:, 2:])), axis=1).astype(int)
    for left, top, right, bottom in whole.tolist():
        part = image[top:bottom, left:right]
        if not part.size:
            continue
        height, width = part.shape[:2]
        cell = max(min(height, width) / CELLS, max(height, width) / MOST_CELLS, 1.0)
        cells = (max(1, round(width / cell)), max(1, round(height / cell)))
        few = cv2.resize(part, cells, interpolation=cv2.INTER_AREA)
        part[:] = cv2.resize(few, (width, height), interpolation=cv2.INTER_LINEAR)
