"""Tracks on a copy of the frame: shapes, labels, trails and counters."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mot_dinov3.config import DrawConfig
from mot_dinov3.outputs.drawing.blur import blur_people
from mot_dinov3.outputs.drawing.colours import Colour, choose_colour
from mot_dinov3.outputs.drawing.counts import draw_counts
from mot_dinov3.outputs.drawing.hud import build_hud_lines, draw_hud, measure_hud
from mot_dinov3.outputs.drawing.labels import LabelWriter
from mot_dinov3.outputs.drawing.sizes import choose_sizes
from mot_dinov3.outputs.drawing.styles import SHAPES, Box, Pen
from mot_dinov3.outputs.drawing.trails import Trails
from mot_dinov3.values import CONFIRMED, LOST, SEARCHED, FloatArray, FrameResult, Image, Tracks

FARTHEST_PX = 1e5


def draw_tracks(
    image: Image,
    result: FrameResult,
    names: Mapping[int, str],
    config: DrawConfig,
    fps: float = 0.0,
) -> Image:
    """Draw the tracks of a single frame: a copy of it, without what earlier frames tell.

    Args:
        image: (H, W, 3) uint8 BGR; left as it is.
        result: of the frame.
        names: class id -> name, for the labels.
        config: line and font sizes, and what to show.
        fps: current speed for the counters, 0 when unknown.
    """
    return TrackPainter(config).draw(image, result, names, fps)


class TrackPainter:
    """Draws the frames of one run in order; it remembers trails and the places of labels.

    Confirmed tracks have full lines, tentative and searched ones thin lines, lost ones (only with
    `draw_lost`) dashes at their predicted place. Lines and zones are below them all, their texts
    where labels leave them alone. Results alone decide what is drawn, so a run that is drawn again
    from its frame log looks the same.
    """

    def __init__(self, config: DrawConfig) -> None:
        """Draw as a configuration says."""
        self._config = config
        self._labels = LabelWriter(config.label_words)
        self._trails = Trails(config.trails)

    def remember(self, result: FrameResult) -> None:
        """Take the next frame for the trails of later ones, without drawing it."""
        self._trails.add(result)

    def draw(
        self, image: Image, result: FrameResult, names: Mapping[int, str], fps: float = 0.0
    ) -> Image:
        """Draw the next frame on a copy of it.

        Args:
            image: (H, W, 3) uint8 BGR; left as it is.
            result: of the frame.
            names: class id -> name, for the labels.
            fps: current speed for the counters, 0 when unknown.
        """
        config, sizes = self._config, choose_sizes(image, self._config)
        out = blur_people(image, result, names, config.blur)
        out = np.array(image, order="C") if out is image else out
        lines = build_hud_lines(result, fps) if config.hud else []
        taken = [measure_hud(lines, sizes)[0]] if lines else []
        if result.counted is not None:
            draw_counts(out, result.counted, sizes, taken)
        self._trails.add(result)
        self._trails.draw(out, result.time_s, sizes.line_px)
        tracks = result.tracks
        boxes = find_visible(tracks, image, draw_lost=config.draw_lost)
        shape, states = SHAPES[config.style], tracks.state.tolist()
        for row, (box, colour) in boxes.items():
            thickness = sizes.line_px if states[row] == CONFIRMED else sizes.thin_px
            shape(out, box, Pen(colour, thickness, dashed=states[row] == LOST))
        self._labels.draw(out, result, boxes, names, sizes, taken)
        if lines:
            draw_hud(out, lines, sizes)
        return out


def find_visible(tracks: Tracks, image: Image, *, draw_lost: bool) -> dict[int, tuple[Box, Colour]]:
    """Row -> box and colour of the tracks that are drawn, in drawing order.

    Lost tracks come first, and the lowest box last, as it is the nearest.

    Args:
        tracks: of the frame.
        image: (H, W, 3); boxes outside of it are left out.
        draw_lost: lost tracks are drawn too.
    """
    lost = tracks.state == LOST
    drawn = (tracks.state <= CONFIRMED) | (tracks.state == SEARCHED) | (lost & draw_lost)
    order = np.lexsort((tracks.xyxy[:, 3], ~lost))
    boxes = _find_boxes_inside(tracks.xyxy, [row for row in order.tolist() if drawn[row]], image)
    return {row: (box, choose_colour(int(tracks.id[row]))) for row, box in boxes.items()}


def _find_boxes_inside(xyxy: FloatArray, rows: list[int], image: Image) -> dict[int, Box]:
    """Row -> box in whole pixels, of the boxes that lie at least partly in the image."""
    finite = np.isfinite(xyxy).all(axis=1, keepdims=True)  # all others shrink to nothing
    whole = np.rint(np.where(finite, xyxy, 0).clip(-FARTHEST_PX, FARTHEST_PX)).astype(int)
    left, top, right, bottom = whole.T
    inside = (right > 0) & (bottom > 0) & (left < image.shape[1]) & (top < image.shape[0])
    corners: list[Box] = list(map(tuple, whole.tolist()))
    return {row: corners[row] for row in rows if inside[row]}
