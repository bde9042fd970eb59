"""Boxes, labels and counters on a copy of the frame."""

from __future__ import annotations

import colorsys
from collections.abc import Mapping
from functools import lru_cache

import cv2
import numpy as np

from mot_dinov3.config import DrawConfig
from mot_dinov3.outputs.counting.drawing import draw_counts
from mot_dinov3.values import FloatArray, FrameResult, Image, Tracks, TrackState

Colour = tuple[int, int, int]
Box = tuple[int, int, int, int]

GOLDEN = 0.6180339887498949
"""Steps of the golden ratio keep the hues of ids that follow each other far apart."""
TONES = ((0.85, 1.0), (0.55, 1.0), (0.95, 0.72))
"""(saturation, value) by turns, so that near hues differ in brightness too."""
BLACK, WHITE = (0, 0, 0), (255, 255, 255)
BRIGHT = 140
"""Luminance above which black text reads better than white."""
FONT = cv2.FONT_HERSHEY_SIMPLEX
BOLD_FROM = 0.9
KEPT_SCALE = 2.0
"""Font scale above which labels are drawn every time, as keeping them would take much memory."""
DASH_PX = 9
FARTHEST_PX = 1e5
HUD_SHADE = 0.25


def draw_tracks(
    image: Image,
    result: FrameResult,
    names: Mapping[int, str],
    config: DrawConfig,
    fps: float = 0.0,
) -> Image:
    """Draw the tracks of a frame: a copy of it with one box and label per track.

    Confirmed tracks have full lines, tentative ones thin lines, lost ones (only with
    `draw_lost`) dashes at their predicted place. Lines and zones are below them.

    Args:
        image: (H, W, 3) uint8 BGR; left as it is.
        result: of the frame.
        names: class id -> name, for the labels.
        config: line and font sizes, and what to show.
        fps: current speed for the counters, 0 when unknown.
    """
    out = np.array(image, order="C")
    if result.counted is not None:
        draw_counts(out, result.counted)
    tracks = result.tracks
    rows = _rows_to_draw(tracks, draw_lost=config.draw_lost)
    boxes = _visible(tracks.xyxy, rows, image)
    colours = {row: choose_colour(int(tracks.id[row])) for row in boxes}
    for row, box in boxes.items():
        _outline(out, box, colours[row], (int(tracks.state[row]), config))
    for row, box in boxes.items():
        _label(out, build_label(tracks, row, names), box, colours[row], config.font_scale)
    if config.hud:
        _counters(out, build_hud_lines(result, fps), config.font_scale)
    return out


@lru_cache(maxsize=4096)
def choose_colour(track_id: int) -> Colour:
    """The BGR colour of an identity, the same in every run."""
    saturation, value = TONES[track_id % len(TONES)]
    red, green, blue = colorsys.hsv_to_rgb((track_id * GOLDEN) % 1.0, saturation, value)
    return round(blue * 255), round(green * 255), round(red * 255)


def choose_text_colour(background: Colour) -> Colour:
    """Black or white, whichever reads better on a BGR background (luminance of ITU-R BT.601)."""
    blue, green, red = background
    return BLACK if 0.114 * blue + 0.587 * green + 0.299 * red > BRIGHT else WHITE


def build_label(tracks: Tracks, row: int, names: Mapping[int, str]) -> str:
    """`ID 7 * person`; the star says that an embedding was computed in this frame."""
    if tracks.state[row] == TrackState.LOST:
        return f"ID {tracks.id[row]} lost"
    name = names.get(int(tracks.class_id[row]), "")
    if tracks.id[row] < 0:
        return f"new {name}".rstrip().encode("utf-8", "replace").decode("utf-8")
    star = " *" if tracks.fresh[row] else ""
    # Half a character would crash OpenCV, not raise.
    return f"ID {tracks.id[row]}{star} {name}".rstrip().encode("utf-8", "replace").decode("utf-8")


def build_hud_lines(result: FrameResult, fps: float) -> list[str]:
    """The counters of one frame, as lines of text."""
    embed, tracks = result.embed, result.tracks
    seen = int(np.count_nonzero(tracks.detection >= 0))
    # Rounded as in a frame log, so that a video drawn from one shows the same.
    spent_ms, limit_ms = round(embed.embed_ms, 3), round(embed.budget_ms, 3)
    limit = f" / {limit_ms:g}" if limit_ms else ""
    waiting = f"   deferred {embed.deferred}" + (
        f"   starved {embed.starved}" if embed.starved else ""
    )
    lone = f"   without a track {embed.without_track}" if embed.without_track else ""
    return [
        f"frame {result.frame_index}" + (f"   {fps:.1f} fps" if fps > 0 else ""),
        f"tracks {seen}   detections {len(result.detections)}",
        f"embedded {embed.computed}: {embed.critical} critical, {embed.refresh} refresh{lone}",
        f"reused {embed.reused}{waiting}",
        f"embed {spent_ms:.1f}{limit} ms",
    ]


def _rows_to_draw(tracks: Tracks, *, draw_lost: bool) -> list[int]:
    """Rows in drawing order: lost tracks first and the lowest box last, as it is the nearest."""
    lost = tracks.state == TrackState.LOST
    drawn = (tracks.state <= TrackState.CONFIRMED) | (lost & draw_lost)
    order = np.lexsort((tracks.xyxy[:, 3], ~lost))
    return [row for row in order.tolist() if drawn[row]]


def _visible(xyxy: FloatArray, rows: list[int], image: Image) -> dict[int, Box]:
    """Row -> box in whole pixels, of the boxes that lie at least partly in the image."""
    finite = np.isfinite(xyxy).all(axis=1, keepdims=True)  # all others shrink to nothing
    whole = np.rint(np.where(finite, xyxy, 0).clip(-FARTHEST_PX, FARTHEST_PX)).astype(int)
    left, top, right, bottom = whole.T
    inside = (right > 0) & (bottom > 0) & (left < image.shape[1]) & (top < image.shape[0])
    corners: list[Box] = list(map(tuple, whole.tolist()))
    return {row: corners[row] for row in rows if inside[row]}


def _outline(image: Image, box: Box, colour: Colour, style: tuple[int, DrawConfig]) -> None:
    state, config = style
    left, top, right, bottom = box
    thin = max(1, config.line_thickness // 2)
    if state == TrackState.LOST:
        cv2.polylines(image, list(_dashes(box)), False, colour, thin)
        return
    thickness = config.line_thickness if state == TrackState.CONFIRMED else thin
    cv2.rectangle(image, (left, top), (right, bottom), colour, thickness)


def _dashes(box: Box) -> np.ndarray[tuple[int, int, int], np.dtype[np.int32]]:
    """(N, 2, 2) int32 line pieces around a box."""
    left, top, right, bottom = box
    across = np.arange(left, max(right, left + 1), 2 * DASH_PX)[:200]
    down = np.arange(top, max(bottom, top + 1), 2 * DASH_PX)[:200]
    across_end = np.minimum(across + DASH_PX, right)
    down_end = np.minimum(down + DASH_PX, bottom)
    pieces = [
        np.stack((across, np.full_like(across, y), across_end, np.full_like(across, y)), axis=1)
        for y in (top, bottom)
    ] + [
        np.stack((np.full_like(down, x), down, np.full_like(down, x), down_end), axis=1)
        for x in (left, right)
    ]
    return np.concatenate(pieces).astype(np.int32).reshape(-1, 2, 2)


def _label(image: Image, text: str, box: Box, colour: Colour, scale: float) -> None:
    """A filled label above the box, or inside it at the border; never outside the frame."""
    draw = _label_picture if scale <= KEPT_SCALE else _label_picture.__wrapped__
    picture = draw(text, colour, scale)
    height, width = picture.shape[:2]
    left, top = box[0], box[1] - height + 1
    if top < 0:
        top = max(box[1], 0)
    left = max(0, min(left, image.shape[1] - width + 1))
    top = max(0, min(top, image.shape[0] - height + 1))
    place = image[top : top + height, left : left + width]
    place[:] = picture[: place.shape[0], : place.shape[1]]


@lru_cache(maxsize=512)
def _label_picture(text: str, colour: Colour, scale: float) -> Image:
    """The label as a picture, kept because the same labels are shown frame after frame."""
    weight = 2 if scale >= BOLD_FROM else 1
    (width, height), below = cv2.getTextSize(text, FONT, scale, weight)
    pad = max(2, round(4 * scale))
    out = np.full((height + below + 2 * pad + 1, width + 2 * pad + 1, 3), colour, np.uint8)
    place = (pad, pad + height)
    cv2.putText(out, text, place, FONT, scale, choose_text_colour(colour), weight, cv2.LINE_AA)
    return out


def _counters(image: Image, lines: list[str], scale: float) -> None:
    """Light text on a darkened corner at the top left."""
    weight = 2 if scale >= BOLD_FROM else 1
    sizes = [cv2.getTextSize(line, FONT, scale, weight) for line in lines]
    step = max(size[1] + below for size, below in sizes) + max(3, round(8 * scale))
    pad = max(4, round(10 * scale))
    width = max(size[0] for size, _ in sizes) + 2 * pad
    corner = image[: step * len(lines) + pad, :width]
    cv2.convertScaleAbs(corner, corner, alpha=HUD_SHADE)
    for number, line in enumerate(lines, 1):
        cv2.putText(image, line, (pad, step * number), FONT, scale, WHITE, weight, cv2.LINE_AA)
