"""Clips as the network sees them: pictures in order of time, and which object is which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms.v2 import functional as moves

from mot_dinov3.data.detection.base import DetectionExample
from mot_dinov3.errors import InputError
from mot_dinov3.perception.detectors.letterbox import GREY, letterbox
from mot_dinov3.training.recipes.detector.pictures import (
    Fitting,
    Sample,
    augment,
    build_transforms,
    load_sample,
    mirror,
    stack,
)
from mot_dinov3.training.recipes.motr.crossings import find_crossings
from mot_dinov3.training.recipes.motr.sources import Film, Sources
from mot_dinov3.values import BoolArray, Image, IntArray

LEAST_SHARE = 0.25
"""A box of which a still camera's move leaves less is not asked for any more."""
MEETINGS = 0.5
"""Part of the clips that show a whole meeting of two objects, where a film has any."""
TURNED, TURNS = 0.5, 0.3
"""Part of the clips that turn, and how often such a clip does from one picture to the next."""
DRIFT, ZOOM = 0.02, 0.02
"""How far the camera of a still picture moves a frame at most, as shares of the picture."""


@dataclass(frozen=True, slots=True)
class Clip:
    """Pictures with objects that have numbers of their own in it.

    Attributes:
        samples: a picture each; `class_id` holds the objects' numbers, from 0.
        classes: (N,) int64 class of each object.
        turns: (L,) the pictures before which a mirror comes or goes.
    """

    samples: list[Sample]
    classes: Tensor
    turns: BoolArray


class ClipMaker:
    """Draws clips.

    Args:
        sources: what they are cut from.
        length: pictures in each.
        interval: most frames from one picture to the next.
        plain: show pictures as they are.
    """

    def __init__(self, sources: Sources, length: int, interval: int, *, plain: bool) -> None:
        self._sources, self._length, self._interval = sources, length, interval
        self._transforms = None if plain else build_transforms()
        self._places = {number: place for place, number in enumerate(sources.classes)}
        self._meetings = [list_meetings(film) for film in sources.films]
        films = [len(film) for film in sources.films]
        self._weights = np.array([*films, len(sources.stills)], np.float64)

    def draw(self, fitting: Fitting, rng: np.random.Generator) -> Clip:
        """A clip of a film or of a still picture, as often as there are pictures of each."""
        which = int(rng.choice(len(self._weights), p=self._weights / self._weights.sum()))
        if which < len(self._sources.films):
            film, meetings = self._sources.films[which], self._meetings[which]
            meets = len(meetings) > 0 and self._length > 1 and rng.random() < MEETINGS
            rows = self._span(meetings, len(film), rng) if meets else self._choose(film, rng)
            clip = self._cut(film, rows, fitting, rng)
        else:
            row = int(rng.integers(len(self._sources.stills)))
            clip = self._hold(self._sources.stills[row], fitting, rng)
        if self._transforms is None:
            return clip
        seed = rng.integers(0, 1 << 31, 2).tolist()  # the same change for all of its pictures
        samples = [augment(one, self._transforms, seed) for one in clip.samples]
        turns = (rng.random(self._length) < TURNS) & (rng.random() < TURNED)
        return turn(replace(clip, samples=samples), turns)

    def _choose(self, film: Film, rng: np.random.Generator) -> IntArray:
        """Rows of pictures somewhere in a film, evenly apart."""
        most = max(1, (len(film) - 1) // max(self._length - 1, 1))
        step = int(rng.integers(1, min(self._interval, most) + 1))
        first = int(rng.integers(0, len(film) - (self._length - 1) * step))
        rows: IntArray = first + step * np.arange(self._length)
        return rows

    def _span(self, meetings: IntArray, pictures: int, rng: np.random.Generator) -> IntArray:
        """Rows of pictures from before a meeting until after it, however far apart they are."""
        first, last = meetings[rng.integers(len(meetings))]
        spare = max(self._length - (last - first + 1), 0)
        first = max(first - int(rng.integers(0, spare + 1)), 0)
        first = min(first, pictures - self._length)
        last = max(last, first + self._length - 1)
        return np.linspace(first, last, self._length).round().astype(np.int64)

    def _cut(self, film: Film, rows: IntArray, fitting: Fitting, rng: np.random.Generator) -> Clip:
        if rng.random() < 0.5:
            rows = rows[::-1]
        frames = film.footage.frames[rows]
        here = np.isin(film.visible.frame_index, frames)
        numbers, at = np.unique(film.visible.track_id[here], return_index=True)
        classes = [self._places[int(one)] for one in film.visible.class_id[here][at]]
        samples = []
        for row, frame in zip(rows.tolist(), frames.tolist(), strict=True):
            boxes = film.visible.rows_of(frame)
            objects = np.searchsorted(numbers, film.visible.track_id[boxes])
            image = film.footage.pictures[row]
            samples.append(fit_picture(image, film.visible.xyxy[boxes], objects, fitting))
        return create_clip(samples, classes)

    def _hold(self, still: DetectionExample, fitting: Fitting, rng: np.random.Generator) -> Clip:
        """A still picture before a camera that moves: clips with one picture, as of CrowdHuman."""
        sample = load_sample(still, fitting)
        if sample is None:
            raise InputError(f"'{still.picture}' cannot be read.", fix="Take it out of --data.")
        drift, zoom = rng.uniform(-DRIFT, DRIFT, 2), float(rng.uniform(-ZOOM, ZOOM))
        numbers = [self._places[self._sources.numbers[int(one)]] for one in still.class_id]
        objects = torch.arange(len(sample.xyxy))
        sample = replace(sample, class_id=objects)
        samples = [shift(sample, drift * n, 1 + zoom * n) for n in range(self._length)]
        return create_clip(samples, numbers)


def create_clip(samples: list[Sample], classes: Sequence[int]) -> Clip:
    """A clip as it was filmed, without a mirror."""
    turns = np.zeros(len(samples), np.bool_)
    return Clip(samples, torch.tensor(classes, dtype=torch.int64), turns)


def turn(clip: Clip, turns: BoolArray) -> Clip:
    """The clip before a mirror that comes or goes before the pictures that `turns` (L,) names.

    Left and right change places, so that it takes looks to tell who is who: where an object was
    says so in almost every other pair of pictures, and a network learns nothing else from those.
    """
    mirrored = np.cumsum(turns) % 2 == 1
    samples = [mirror(one) if yes else one for one, yes in zip(clip.samples, mirrored, strict=True)]
    return replace(clip, samples=samples, turns=turns)


def list_meetings(film: Film) -> IntArray:
    """(M, 2) rows of the pictures before and after which two objects are apart."""
    frames = film.footage.frames
    found = find_crossings(film.truth, int(frames[-1]) + 1)
    ends = np.array([(one.before, one.after) for one in found], np.int64).reshape(-1, 2)
    rows: IntArray = np.searchsorted(frames, ends)
    return rows[rows[:, 1] < len(frames)]


def fit_picture(image: Image, xyxy: Any, objects: Any, fitting: Fitting) -> Sample:  # noqa: ANN401
    """A picture with the boxes (N, 4) of numbered objects (N,), as large as the network sees it."""
    height, width = image.shape[:2]
    how = fitting.fit(width, height)
    pixels = torch.from_numpy(letterbox(image, how)[0])
    boxes = torch.from_numpy(how.from_picture(xyxy))
    return Sample(pixels, boxes, torch.from_numpy(np.asarray(objects, np.int64)), how)


def shift(sample: Sample, drift: Any, scale: float) -> Sample:  # noqa: ANN401 - an array of two
    """The picture seen from a camera that has moved and zoomed; what has left it is left out."""
    height, width = sample.size
    how: dict[str, Any] = {
        "angle": 0.0,
        "translate": [float(drift[0]) * width, float(drift[1]) * height],
        "scale": scale,
        "shear": [0.0, 0.0],
    }
    boxes = tv_tensors.BoundingBoxes(sample.xyxy, format="XYXY", canvas_size=sample.size)
    whole = moves.affine(boxes, **how).as_subclass(Tensor)
    limit = torch.tensor([width, height] * 2)
    inside = whole.clamp(min=torch.zeros(4), max=limit)
    share = _area(inside) / _area(whole).clamp(min=1e-6)
    kept = share >= LEAST_SHARE
    pixels = moves.affine(tv_tensors.Image(sample.pixels), fill=GREY / 255, **how)
    return replace(
        sample,
        pixels=pixels.as_subclass(Tensor),
        xyxy=inside[kept],
        class_id=sample.class_id[kept],
    )


def _area(xyxy: Tensor) -> Tensor:
    sides = (xyxy[:, 2:] - xyxy[:, :2]).clamp(min=0)
    return sides[:, 0] * sides[:, 1]


def stack_clips(clips: Sequence[Clip]) -> list[dict[str, Any]]:
    """The batch of each moment: `pixels`, `mask`, and `labels` with `ids` of the objects.

    `turned` (B,) says which clips are mirrored otherwise than the moment before.
    """
    moments = []
    for number, samples in enumerate(zip(*(clip.samples for clip in clips), strict=True)):
        batch = stack(samples)
        batch["turned"] = torch.tensor([bool(clip.turns[number]) for clip in clips])
        for clip, label in zip(clips, batch["labels"], strict=True):
            label["ids"] = label["class_labels"]
            label["class_labels"] = clip.classes[label["ids"]]
        moments.append(batch)
    return moments
