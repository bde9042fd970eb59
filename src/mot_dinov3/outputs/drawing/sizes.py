"""Sizes of lines and text, so that a 4K picture is as readable as a small one."""

from __future__ import annotations

from dataclasses import dataclass

from mot_dinov3.config import DrawConfig
from mot_dinov3.values import Image

LINE_SHARE, LEAST_LINE_PX = 0.0028, 2
"""Thickness of a line as a share of the shorter side of the picture."""
FONT_SHARE, LEAST_FONT = 0.00065, 0.4
"""Font scale for a pixel of the shorter side; OpenCV's letters are 21 pixels high at scale 1."""
BOLD_FROM = 0.9
HEAVY_FROM = 1.8


@dataclass(frozen=True, slots=True)
class Sizes:
    """What is drawn how large in one picture.

    Attributes:
        line_px: thickness of the lines of a confirmed track.
        font_scale: size of labels and counters, as a factor of OpenCV's font.
    """

    line_px: int
    font_scale: float

    @property
    def thin_px(self) -> int:
        """Thickness of the lines of a track that is not confirmed or not seen."""
        return max(1, self.line_px // 2)

    @property
    def weight_px(self) -> int:
        """Thickness of the strokes of letters."""
        return 1 + (self.font_scale >= BOLD_FROM) + (self.font_scale >= HEAVY_FROM)


def choose_sizes(image: Image, config: DrawConfig) -> Sizes:
    """The sizes for a picture (H, W, 3): those of the configuration, or such as follow it."""
    side = min(image.shape[:2])
    return Sizes(
        config.line_thickness or max(LEAST_LINE_PX, round(LINE_SHARE * side)),
        config.font_scale or max(LEAST_FONT, FONT_SHARE * side),
    )
