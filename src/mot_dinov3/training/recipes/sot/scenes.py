"""Drawn scenes: things of one shape around the middle, of which a template tells one.

Where a thing is says nothing of which it is: all lie as far from the middle of the search picture
as the others. So what does not look at the template finds the right one by luck alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mot_dinov3.perception.searchers.sot_networks import SEARCH_FACTOR, TEMPLATE_FACTOR
from mot_dinov3.training.recipes.sot.examples import Example, Sizes, vary
from mot_dinov3.values import FloatArray, Image

THINGS = 3
"""In a scene: the object and those that look like it."""
RADIUS = (0.24, 0.32)
"""Of the circle that things lie on, as a share of the search picture's side."""
TURN, GROW, WOBBLE = 0.2, 0.12, 0.04
"""A thing's angle, its size and its place change by as much from picture to picture."""
PATCHES = 4
"""Patches of colour across a thing."""


@dataclass(frozen=True, slots=True)
class Thing:
    """What a thing looks like.

    Attributes:
        texture: (h, w, 3) uint8 BGR.
        mask: (h, w) uint8, 255 where it is.
    """

    texture: Image
    mask: Image


@dataclass(frozen=True, slots=True)
class DrawnScenes:
    """Draws scenes of `THINGS` things each.

    Attributes:
        sizes: of the pictures.
    """

    sizes: Sizes

    def draw(self, rng: np.random.Generator) -> Example:
        """One of the things in templates, and all of them in the search picture."""
        sizes = self.sizes
        unit = sizes.search_px / SEARCH_FACTOR  # root of the area of a thing
        aspect = np.exp(rng.uniform(-0.5, 0.5))
        wh = (unit * np.sqrt([aspect, 1 / aspect])).astype(np.float32)
        things = create_things(rng, wh)
        near = sizes.template_px / sizes.search_px * SEARCH_FACTOR / TEMPLATE_FACTOR
        shown = [
            draw_things(rng, sizes.template_px, things[:1], [np.array([0.5, 0.5])], near)
            for _ in range(sizes.templates)
        ]
        first = rng.uniform(0, 2 * np.pi)
        angles = first + 2 * np.pi * np.arange(THINGS) / THINGS
        places = 0.5 + rng.uniform(*RADIUS) * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        search, boxes = draw_things(rng, sizes.search_px, things, list(places), 1.0)
        marks = [mark[0] for _, mark in shown]
        return vary(Example([image for image, _ in shown], marks, search, boxes[0]), rng)


def create_things(rng: np.random.Generator, wh: FloatArray) -> list[Thing]:
    """Things of one shape and size in pixels, each with colours of its own."""
    width, height = np.rint(wh).astype(int).tolist()
    mask: Image = np.zeros((height, width), np.uint8)
    middle, half = (width // 2, height // 2), (width // 2 - 1, height // 2 - 1)
    if rng.random() < 0.5:
        cv2.ellipse(mask, middle, half, 0, 0, 360, 255, -1)
    else:
        mask[1:-1, 1:-1] = 255
    return [Thing(create_texture(rng, width, height, PATCHES), mask) for _ in range(THINGS)]


def create_texture(rng: np.random.Generator, width: int, height: int, patches: int) -> Image:
    """(height, width, 3) patches of colour that run into each other."""
    base = rng.uniform(40, 215, 3)
    few = base + rng.uniform(-90, 90, (patches, patches, 3))
    few = np.clip(few, 0, 255).astype(np.uint8)
    return np.asarray(cv2.resize(few, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def draw_things(
    rng: np.random.Generator,
    size_px: int,
    things: list[Thing],
    places: list[FloatArray],
    scale: float,
) -> tuple[Image, FloatArray]:
    """A picture of things before a wall, and their boxes.

    Args:
        rng: turns, moves and resizes each a little, and makes wall and noise.
        size_px: side of the picture.
        things: what is in it.
        places: of each, its centre as shares of the side.
        scale: how large things are drawn.

    Returns:
        (size_px, size_px, 3) uint8 BGR, and (N, 4) float32 xyxy as shares of the side.
    """
    picture = create_texture(rng, size_px, size_px, int(rng.integers(2, 12)))
    boxes = [
        draw_thing(rng, picture, thing, place, scale)
        for thing, place in zip(things, places, strict=True)
    ]
    noise = 5 * rng.standard_normal(picture.shape, np.float32)
    return np.clip(picture + noise, 0, 255).astype(np.uint8), np.stack(boxes)


def draw_thing(
    rng: np.random.Generator, picture: Image, thing: Thing, place: FloatArray, scale: float
) -> FloatArray:
    """Draw one thing into a picture; returns its box (4,) as shares of the picture's side."""
    size_px = len(picture)
    height, width = thing.mask.shape
    angle, growth = rng.uniform(-TURN, TURN), scale * np.exp(rng.uniform(-GROW, GROW))
    centre = (place + rng.uniform(-WOBBLE, WOBBLE, 2)) * size_px
    turn = growth * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shift = centre - turn @ np.array([width / 2, height / 2])
    fit = np.concatenate([turn, shift[:, None]], axis=1)
    mask = cv2.warpAffine(thing.mask, fit, (size_px, size_px))
    drawn = cv2.warpAffine(thing.texture, fit, (size_px, size_px), borderMode=cv2.BORDER_REFLECT)
    share = mask[..., None].astype(np.float32) / 255
    picture[:] = np.rint(picture * (1 - share) + drawn * share).astype(np.uint8)
    left, top, across, down = cv2.boundingRect(np.asarray(mask > 127, np.uint8))
    return np.array([left, top, left + across, top + down], np.float32) / np.float32(size_px)
