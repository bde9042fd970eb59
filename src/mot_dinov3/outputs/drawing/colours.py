"""The colours of identities, in the video as in the report."""

from __future__ import annotations

Colour = tuple[int, int, int]
"""Blue, green, red."""

BLACK, WHITE, NEUTRAL = (0, 0, 0), (255, 255, 255), (200, 200, 200)
BRIGHT = 140
"""Luminance above which black text reads better than white."""
PALETTE = (
    *("3c871e", "b4f087", "00b4c3", "ff8769", "0069ff", "d200e1", "00ff00", "ff69b4"),
    *("00e1b4", "a55a87", "0f96ff", "c37800", "f0b4ff", "e10087", "9687f0", "5ac34b"),
    *("3cffff", "ff0000", "872dff", "0087b4", "69d2ff", "f0b400", "e169ff", "c33c3c"),
)
"""Red, green, blue of the identities 1, 2, 3 and so on; the 25th begins again.

They are as far apart in OKLab (https://bottosson.github.io/posts/oklab/) as 24 colours that show
on dark and on bright ground can be: no two are nearer than 0.11, and those of identities that
follow each other are the farthest apart.
"""


def choose_colour(track_id: int) -> Colour:
    """The BGR colour of an identity, the same in every run; grey for a track without one yet."""
    if track_id < 1:
        return NEUTRAL
    red, green, blue = bytes.fromhex(PALETTE[(track_id - 1) % len(PALETTE)])
    return blue, green, red


def choose_text_colour(background: Colour) -> Colour:
    """Black or white, whichever reads better on a BGR background (luminance of ITU-R BT.601)."""
    blue, green, red = background
    return BLACK if 0.114 * blue + 0.587 * green + 0.299 * red > BRIGHT else WHITE
