"""What the label of a track says, and what it looks like."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

import cv2
import numpy as np

from mot_dinov3.config import DrawConfig
from mot_dinov3.outputs.drawing.colours import Colour, choose_text_colour
from mot_dinov3.outputs.drawing.placement import LabelPlacer, Place
from mot_dinov3.outputs.drawing.sizes import Sizes
from mot_dinov3.outputs.drawing.styles import Box
from mot_dinov3.values import CONFIRMED, LOST, SEARCHED, FrameResult, Image, Tracks

FONT = cv2.FONT_HERSHEY_SIMPLEX
KEPT_SCALE = 2.0
"""Font scale above which labels are drawn every time, as keeping them would take much memory."""
ALL_WORDS = DrawConfig().label_words
NOTHING_KNOWN: Mapping[int, str] = {}
NEW = "new"
"""What stands in place of the identity of a track that has none yet."""


def build_label(
    tracks: Tracks,
    row: int,
    names: Mapping[int, str],
    words: Sequence[str] = ALL_WORDS,
    known: Mapping[int, str] = NOTHING_KNOWN,
) -> str:
    """`ID 7 * person`; the star says that an embedding was computed in this frame.

    `~ ID 7 person` was found by a searcher, and not by the detector.

    Args:
        tracks: of the frame.
        row: of the track.
        names: class id -> name.
        words: what the label says, of "id", "class" and "score".
        known: track id -> what stands in place of its number.
    """
    identity, lost = int(tracks.id[row]), int(tracks.state[row]) == LOST
    score = float(tracks.score[row])
    said = {
        "id": known.get(identity, f"ID {identity}" if identity > 0 else NEW),
        "class": "" if lost else names.get(int(tracks.class_id[row]), ""),
        "score": "" if lost or math.isnan(score) else f"{score:.2f}",
    }
    parts = [said[word] for word in words if said[word]]
    if lost:
        parts.append("lost")
    elif tracks.state[row] == SEARCHED:
        parts.insert(0, "~")
    elif tracks.fresh[row] and words:
        parts.insert(1, "*")
    return to_letters(" ".join(parts))


def to_letters(text: str) -> str:
    """The text without halves of characters, which would crash OpenCV."""
    return text.encode("utf-8", "replace").decode("utf-8")


class LabelWriter:
    """Draws the labels of one run, at places that do not cover each other."""

    def __init__(self, words: Sequence[str]) -> None:
        """Write labels that say `words`, none if there are none."""
        self._words = words
        self._placer = LabelPlacer()

    def draw(
        self,
        image: Image,
        result: FrameResult,
        boxes: Mapping[int, tuple[Box, Colour]],
        names: Mapping[int, str],
        sizes: Sizes,
        taken: list[Box],
    ) -> None:
        """Draw the labels of a frame.

        Args:
            image: (H, W, 3) uint8 BGR, drawn on.
            result: of the frame.
            boxes: row -> box and colour, of the tracks that are drawn.
            names: class id -> name.
            sizes: of the picture.
            taken: what labels must not cover.
        """
        if not self._words:
            return
        tracks = result.tracks
        said = {row: build_label(tracks, row, names, self._words, result.known) for row in boxes}
        draw = _draw_label if sizes.font_scale <= KEPT_SCALE else _draw_label.__wrapped__
        self._placer.hand_on(tracks.given_ids)
        # The oldest confirmed track chooses its place first.
        chosen = np.lexsort((tracks.id, tracks.state != CONFIRMED)).tolist()
        rows = [row for row in chosen if said.get(row)]
        pictures = [draw(said[row], boxes[row][1], sizes) for row in rows]
        shapes = [(picture.shape[1], picture.shape[0]) for picture in pictures]
        wanted = [
            (int(tracks.id[row]), boxes[row][0], shape)
            for row, shape in zip(rows, shapes, strict=True)
        ]
        places = self._placer.place(wanted, (image.shape[1], image.shape[0]), taken)
        for row, place, shape in zip(rows, places, shapes, strict=True):
            if place.is_far:
                _lead(image, boxes[row], place, shape, sizes.thin_px)
        for place, picture in zip(reversed(places), reversed(pictures), strict=True):
            spot = image[place.top :, place.left :][: picture.shape[0], : picture.shape[1]]
            spot[:] = picture[: spot.shape[0], : spot.shape[1]]


def _lead(
    image: Image, box: tuple[Box, Colour], place: Place, size: tuple[int, int], thickness_px: int
) -> None:
    """Draw a line from a label that stands off to the nearest point of its box."""
    (left, top, right, bottom), colour = box
    x, y = place.left + size[0] // 2, place.top + size[1] // 2
    near = (min(max(x, left), max(left, right)), min(max(y, top), max(top, bottom)))
    cv2.line(image, (x, y), near, colour, thickness_px, cv2.LINE_AA)


@lru_cache(maxsize=512)
def _draw_label(text: str, colour: Colour, sizes: Sizes) -> Image:
    """The label as a picture, kept because the same labels are shown frame after frame."""
    scale, weight = sizes.font_scale, sizes.weight_px
    (width, height), below = cv2.getTextSize(text, FONT, scale, weight)
    pad = max(2, round(4 * scale))
    out = np.full((height + below + 2 * pad + 1, width + 2 * pad + 1, 3), colour, np.uint8)
    place = (pad, pad + height)
    cv2.putText(out, text, place, FONT, scale, choose_text_colour(colour), weight, cv2.LINE_AA)
    return out
