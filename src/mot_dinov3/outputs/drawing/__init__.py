"""Drawing: what the tracks of a frame look like on a copy of it."""

from __future__ import annotations

from mot_dinov3.outputs.drawing.blur import blur_people
from mot_dinov3.outputs.drawing.colours import Colour, choose_colour, choose_text_colour
from mot_dinov3.outputs.drawing.hud import build_hud_lines
from mot_dinov3.outputs.drawing.labels import build_label
from mot_dinov3.outputs.drawing.painter import TrackPainter, draw_tracks

__all__ = [
    "Colour",
    "TrackPainter",
    "blur_people",
    "build_hud_lines",
    "build_label",
    "choose_colour",
    "choose_text_colour",
    "draw_tracks",
]
