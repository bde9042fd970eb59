"""Random streets to learn from, and others, kept apart, to be measured on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import cv2
import numpy as np

from mot_dinov3.data.detection.writing import Labelled
from mot_dinov3.data.synthetic.presets.factory import FIRST_TRAINING_SEED
from mot_dinov3.data.synthetic.street import StreetConfig, StreetWorld
from mot_dinov3.data.synthetic.truth import GroundTruth
from mot_dinov3.values import Frame, Image

LEAST_VISIBLE = 0.25
_JPEG_SHARE, _BLUR_SHARE = 0.5, 0.4


def draw_street_config(seed: int, frames: int = 300) -> StreetConfig:
    """A street whose crowd, light and camera are drawn by its seed too."""
    rng = np.random.default_rng([seed, 77])
    return StreetConfig(
        seed=seed,
        frames=frames,
        people=int(rng.integers(8, 23)),
        vehicles=int(rng.integers(3, 9)),
        occluders=int(rng.integers(1, 6)),
        pan=float(rng.uniform(0.0, 0.3)),
        pan_period_s=float(rng.uniform(9, 20)),
        noise=float(rng.uniform(0.5, 6.0)),
        light=float(rng.uniform(0.0, 0.12)),
        exposure=float(rng.uniform(0.7, 1.25)),
        blur_px=float(rng.uniform(0.3, 1.1)) if rng.random() < _BLUR_SHARE else 0.0,
    )


def compress(rng: np.random.Generator, image: Image) -> Image:
    """What a video codec leaves of a picture, half of the time; else the picture itself."""
    if rng.random() > _JPEG_SHARE:
        return image
    quality = int(rng.integers(35, 95))
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


@dataclass(frozen=True, slots=True)
class View:
    """One frame of a training street.

    Attributes:
        street: the seed of the street; identities are the same person only within one.
        frame: the picture.
        truth: the objects in it.
    """

    street: int
    frame: Frame
    truth: GroundTruth


class StreetPool:
    """An endless stream of random frames from a few live streets, renewed one by one.

    Drawing the sprites of a street costs more than a frame, so a street is used `uses` times.
    """

    def __init__(self, seed: int, streets: int = 10, uses: int = 150) -> None:
        """Draw the first streets.

        Args:
            seed: decides which streets come, and what is seen of them.
            streets: how many are live at a time.
            uses: frames that are taken of a street.
        """
        self._rng = np.random.default_rng([seed, 5])
        self._next_seed = FIRST_TRAINING_SEED + 100_000 * seed
        self._uses = uses
        self._live = [self._build_street() for _ in range(streets)]
        self._left = [1 + uses * (i + 1) // streets for i in range(streets)]

    def _build_street(self) -> StreetWorld:
        self._next_seed += 1
        return StreetWorld(draw_street_config(self._next_seed))

    def take_views(self, count: int) -> list[View]:
        """`count` frames of one street at random moments, at least half a second apart if few."""
        slot = int(self._rng.integers(len(self._live)))
        world = self._live[slot]
        stride = max(1, len(world) // count)
        moments = np.arange(count) * stride + self._rng.integers(0, stride, count)
        seen = [self._draw_view(world, int(moment)) for moment in moments]
        self._left[slot] -= count
        if self._left[slot] <= 0:
            self._live[slot], self._left[slot] = self._build_street(), self._uses
        return seen

    def _draw_view(self, world: StreetWorld, index: int) -> View:
        frame, truth = world.frame(index)
        image = compress(self._rng, frame.image)
        return View(world.config.seed, Frame(frame.index, frame.time_s, image), truth)

    def state_dict(self) -> dict[str, Any]:
        """What decides all later views: a street is known by its seed."""
        return {
            "rng": self._rng.bit_generator.state,
            "next_seed": self._next_seed,
            "live": [world.config.seed for world in self._live],
            "left": list(self._left),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state; its streets are drawn again."""
        self._rng.bit_generator.state = state["rng"]
        self._next_seed = state["next_seed"]
        self._live = [StreetWorld(draw_street_config(seed)) for seed in state["live"]]
        self._left = list(state["left"])


def draw_stills(count: int, seed: int) -> Iterator[Labelled]:
    """Single pictures of random streets, two of each at a time."""
    pool = StreetPool(seed)
    views = (view for _ in range(-(-count // 2)) for view in pool.take_views(2))
    return (label(view.frame.image, view.truth) for view in islice(views, count))


def draw_held_out_stills(count: int, each: int = 5) -> Iterator[Labelled]:
    """Single pictures of streets that no training run ever sees, `each` of a street."""
    for world in build_held_out_streets(-(-count // each)):
        for moment in range(min(each, count)):
            frame, truth = world.frame(moment * len(world) // each)
            yield label(frame.image, truth)
        count -= each


def label(image: Image, truth: GroundTruth) -> Labelled:
    """A picture with the objects of which a quarter or more is seen."""
    seen = truth[truth.visibility >= LEAST_VISIBLE]
    return Labelled(image, seen.xyxy, seen.class_id)


def build_held_out_streets(count: int, first_seed: int = 0) -> Iterator[StreetWorld]:
    """Streets that no training run ever sees."""
    for seed in range(first_seed, first_seed + count):
        yield StreetWorld(draw_street_config(seed))
