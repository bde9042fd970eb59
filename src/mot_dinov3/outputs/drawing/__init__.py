"""Drawing: what the tracks of a frame look like on a copy of it."""

from __future__ import annotations

from mot_dinov3.outputs.drawing.painter import (
    Colour,
    build_hud_lines,
    build_label,
    choose_colour,
    choose_text_colour,
    draw_tracks,
)

__all__ = [
    "Colour",
    "build_hud_lines",
    "build_label",
    "choose_colour",
    "choose_text_colour",
    "draw_tracks",
]
