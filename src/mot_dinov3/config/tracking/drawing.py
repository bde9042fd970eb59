"""How tracks are drawn, and what of the picture is made unrecognisable."""

from __future__ import annotations

from dataclasses import dataclass

from mot_dinov3.config.fields import flag, require

FOLLOW = 0
"""The value of a size that follows the picture."""
NO_LABELS = "none"
LABEL_WORDS = ("id", "class", "score")
STYLES = ("box", "ellipse", "corner")
NO_BLUR, BLUR_BOXES, BLUR_HEADS = "off", "boxes", "heads"
BLURS = (NO_BLUR, BLUR_BOXES, BLUR_HEADS)
MOST_TRAIL_S = 3600


@dataclass(frozen=True, slots=True)
class DrawConfig:
    """How tracks look in the video."""

    draw_lost: bool = flag(False, "--draw-lost", "also draw lost tracks at their predicted place")
    style: str = flag("box", "--style", "shape that marks a track", choices=STYLES)
    labels: str = flag(
        "id,class",
        "--labels",
        "what a label says: id, class and score, separated by commas, or none",
        metavar="NAMES",
    )
    trails: float = flag(
        0.0, "--trails", "draw where a track was in its last seconds; 0 for none", metavar="SECONDS"
    )
    blur: str = flag(
        NO_BLUR,
        "--blur",
        "make people unrecognisable in all pictures: their whole boxes, or heads by proportion",
        choices=BLURS,
        bare=BLUR_BOXES,
    )
    line_thickness: int = flag(
        FOLLOW,
        "--line-thickness",
        "thickness of the lines of a box; 0 follows the size of the picture",
        metavar="PIXELS",
    )
    font_scale: float = flag(
        float(FOLLOW),
        "--font-scale",
        "size of the labels; 0 follows the size of the picture",
        metavar="FACTOR",
    )
    hud: bool = flag(False, "--hud", "print the frame's counters in a corner of the video")

    def __post_init__(self) -> None:
        lines, font = self.line_thickness, self.font_scale
        require(0 <= lines <= 64, "--line-thickness", "between 0 and 64", lines)
        require(0 <= font <= 20, "--font-scale", "between 0 and 20", font)
        trails = self.trails
        require(0 <= trails <= MOST_TRAIL_S, "--trails", f"between 0 and {MOST_TRAIL_S}", trails)
        require(self.style in STYLES, "--style", f"one of {', '.join(STYLES)}", self.style)
        require(self.blur in BLURS, "--blur", f"one of {', '.join(BLURS)}", self.blur)
        words = self.label_words
        known = bool(words) and len({*words}) == len(words) and {*words} <= {*LABEL_WORDS}
        rule = f"{NO_LABELS}, or words of {', '.join(LABEL_WORDS)}"
        require(known or self.labels == NO_LABELS, "--labels", rule, self.labels)

    @property
    def label_words(self) -> tuple[str, ...]:
        """What a label says, in the order that was asked for; empty for no labels."""
        if self.labels == NO_LABELS:
            return ()
        return tuple(word.strip() for word in self.labels.split(",") if word.strip())

    @property
    def blurs(self) -> bool:
        """Whether people are made unrecognisable."""
        return self.blur != NO_BLUR
