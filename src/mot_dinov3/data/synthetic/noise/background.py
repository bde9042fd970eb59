"""Boxes where nothing is: places that are taken for objects, for moments or for long."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mot_dinov3.data.synthetic.noise.base import LEVELS, Background
from mot_dinov3.data.synthetic.noise.normals import take_quantiles
from mot_dinov3.io.formats.mot import MotTable
from mot_dinov3.values import DoubleArray, FloatArray, IntArray
from mot_dinov3.values.boxes import cxcywh_to_xyxy, xyxy_to_cxcywh

SHIFT = 0.3
"""A place beside a way lies so many sizes of a box away, as a standard deviation."""


@dataclass(frozen=True, slots=True)
class Picture:
    """The pictures of a clip.

    Attributes:
        width: pixels across.
        height: pixels down.
        fps: frames per second.
        frames: how many there are.
    """

    width: int
    height: int
    fps: float
    frames: int


@dataclass(frozen=True, slots=True)
class Ghosts:
    """Boxes on nothing; row i of every array is the same box.

    Attributes:
        frame_index: (N,) int64.
        xyxy: (N, 4) float32.
        score: (N,) float64.
    """

    frame_index: IntArray
    xyxy: FloatArray
    score: DoubleArray


def draw_background(
    rng: np.random.Generator, truth: MotTable, picture: Picture, noise: Background
) -> Ghosts:
    """Draw the boxes on nothing of a clip, as if the camera had been running before.

    Args:
        rng: the draw.
        truth: the objects; their sizes are those of the boxes, and their ways places to stand.
        picture: size, rate and length.
        noise: how many, where, and for how long.
    """
    longest = noise.life_s[-1]
    span_s = longest + picture.frames / picture.fps
    count = int(rng.poisson(noise.births_per_s * span_s)) if len(truth) else 0
    born = rng.uniform(-longest, span_s - longest, count)
    # a uniform number spreads the lives evenly between the quantiles; np.interp ends beyond them
    ends = born + np.interp(rng.uniform(size=count), LEVELS, noise.life_s)
    place = draw_places(rng, truth, picture, noise, count)
    own = rng.standard_normal(count)
    first = np.ceil(np.maximum(born, 0) * picture.fps).astype(np.int64)
    last = np.minimum(np.floor(ends * picture.fps), picture.frames - 1).astype(np.int64)
    life = np.maximum(last - first + 1, 0)
    which = np.repeat(np.arange(count), life)
    frame = first[which] + np.arange(len(which)) - np.repeat(np.cumsum(life) - life, life)
    seen = rng.uniform(size=len(which)) < noise.seen
    which, frame = which[seen], frame[seen]
    normal = np.sqrt(noise.own_score) * own[which]
    normal += np.sqrt(1 - noise.own_score) * rng.standard_normal(len(which))
    size = np.tile(place[:, 2:], 2)[which]
    xyxy = cxcywh_to_xyxy(place.astype(np.float32))[which]
    xyxy += (size * rng.normal(0, noise.wobble, (len(which), 4))).astype(np.float32)
    return Ghosts(frame, xyxy, take_quantiles(normal, noise.score))


def draw_places(
    rng: np.random.Generator, truth: MotTable, picture: Picture, noise: Background, count: int
) -> DoubleArray:
    """(count, 4) centres and sizes, some of them where an object is at another time."""
    boxes = xyxy_to_cxcywh(truth.xyxy).astype(np.float64)
    usual = float(np.median(boxes[:, 3])) if len(boxes) else 1.0
    height = usual * np.exp(take_quantiles(rng.standard_normal(count), noise.height))
    width = height * take_quantiles(rng.standard_normal(count), noise.aspect)
    size = np.stack([width, height], axis=1)
    centre = rng.uniform(size=(count, 2)) * [picture.width, picture.height]
    if len(boxes):
        on = boxes[rng.integers(len(boxes), size=count)]
        beside = on[:, :2] + SHIFT * on[:, 2:] * rng.standard_normal((count, 2))
        taken = rng.uniform(size=count) < noise.on_path
        centre = np.where(taken[:, None], beside, centre)
    return np.concatenate([centre, size], axis=1)
