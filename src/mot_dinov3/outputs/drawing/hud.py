"""The counters of a frame in a corner of the picture."""

from __future__ import annotations

import cv2
import numpy as np

from mot_dinov3.outputs.drawing.colours import WHITE
from mot_dinov3.outputs.drawing.labels import FONT
from mot_dinov3.outputs.drawing.sizes import Sizes
from mot_dinov3.outputs.drawing.styles import Box
from mot_dinov3.values import FrameResult, Image

SHADE = 0.25
"""Brightness that is left under the text."""


def build_hud_lines(result: FrameResult, fps: float) -> list[str]:
    """The counters of one frame, as lines of text."""
    embed, tracks = result.embed, result.tracks
    seen = int(np.count_nonzero(tracks.placed))
    # Rounded as in a frame log, so that a video drawn from one shows the same.
    spent_ms, limit_ms = round(embed.embed_ms, 3), round(embed.budget_ms, 3)
    limit = f" / {limit_ms:.4g}" if limit_ms else ""
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


def measure_hud(lines: list[str], sizes: Sizes) -> tuple[Box, int, int]:
    """The corner that lines of text take, pixels from one to the next, and pixels around them."""
    scale = sizes.font_scale
    known = [cv2.getTextSize(line, FONT, scale, sizes.weight_px) for line in lines]
    step = max(size[1] + below for size, below in known) + max(3, round(8 * scale))
    pad = max(4, round(10 * scale))
    width = max(size[0] for size, _ in known) + 2 * pad
    return (0, 0, width, step * len(lines) + pad), step, pad


def draw_hud(image: Image, lines: list[str], sizes: Sizes) -> None:
    """Draw light text on a darkened corner at the top left."""
    (_, _, width, height), step, pad = measure_hud(lines, sizes)
    corner = image[:height, :width]
    cv2.convertScaleAbs(corner, corner, alpha=SHADE)
    scale, weight = sizes.font_scale, sizes.weight_px
    for number, line in enumerate(lines, 1):
        cv2.putText(image, line, (pad, step * number), FONT, scale, WHITE, weight, cv2.LINE_AA)
