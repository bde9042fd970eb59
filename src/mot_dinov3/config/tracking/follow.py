"""Which one object is followed, and from which frame on."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mot_dinov3.config.fields import flag, require
from mot_dinov3.config.tracking.inputs import SourceConfig
from mot_dinov3.errors import UsageError

LEAST_VISIBLE = 0.5
"""Share of a box that has to lie in the picture: one of other numbers than these lies outside."""
AS_BOX = "Give left,top,width,height in pixels, such as --box 100,50,40,80."


@dataclass(frozen=True, slots=True)
class FollowConfig:
    """Which one object is followed, and from which frame on."""

    box: str = flag(
        "",
        "--box",
        "follow what is in this box: left, top, width and height in pixels",
        metavar="X,Y,W,H",
    )
    pick: str = flag(
        "",
        "--pick",
        "follow the object of this class of which the detector is most sure",
        metavar="CLASS",
    )
    frame: int = flag(
        -1,
        "--frame",
        "frame of the source that shows the box, or in which the class is looked for first, "
        "counted from 0; -1 for the first that is tracked",
        metavar="FRAME",
    )

    def __post_init__(self) -> None:
        require(self.frame >= -1, "--frame", "-1 or more", self.frame)
        named = not self.pick or bool(self.pick.strip(" ,"))
        require(named, "--pick", "the name of a class", f"'{self.pick}'")
        if self.box and self.pick:
            raise UsageError(
                "--box and --pick both say what is followed.", fix="Leave out one of them."
            )
        if self.box:
            parse_box(self.box)

    @property
    def xyxy(self) -> tuple[float, float, float, float]:
        """The borders of `--box` in pixels."""
        left, top, width, height = parse_box(self.box)
        return left, top, left + width, top + height

    def require_target(self) -> None:
        """Refuse to follow nothing.

        Raises:
            UsageError: neither `--box` nor `--pick` is given.
        """
        if not (self.box or self.pick):
            raise UsageError(
                "--box and --pick are missing: there is nothing to follow.",
                fix=f"{AS_BOX} Or let the detector find it: --pick person.",
            )

    def check_selection(self, source: SourceConfig) -> None:
        """Refuse a frame that is not among those that are tracked.

        Args:
            source: which frames are.

        Raises:
            UsageError: it names the flag that leaves the frame out.
        """
        ahead, stride = self.frame - source.start_frame, source.vid_stride
        if self.frame < 0:
            return
        if ahead < 0:
            raise UsageError(
                f"--frame {self.frame} comes before --start-frame {source.start_frame}.",
                fix="Give a later --frame, or an earlier --start-frame.",
            )
        after_end = 0 <= source.end_frame < self.frame
        if after_end or 0 < source.max_frames <= ahead / stride:
            flag = "--end-frame" if after_end else "--max-frames"
            number = source.end_frame if after_end else source.max_frames
            raise UsageError(
                f"--frame {self.frame} is not tracked with {flag} {number}.",
                fix=f"Give an earlier --frame, or a larger {flag}.",
            )
        if self.box and ahead % stride:
            raise UsageError(
                f"--frame {self.frame} is left out by --vid-stride {stride}.",
                fix=f"Give the box of --frame {self.frame - ahead % stride}, which is tracked.",
            )

    def check_size(self, width: int, height: int) -> None:
        """Refuse a box that is outside of a picture of this size in pixels.

        Raises:
            UsageError: less than half of it is inside.
        """
        if self.box and measure_visible(self.xyxy, width, height) < LEAST_VISIBLE:
            raise UsageError(
                f"--box {self.box} is outside of the picture, which has {width}x{height} pixels.",
                fix=AS_BOX,
            )


def parse_box(text: str) -> tuple[float, float, float, float]:
    """The left, top, width and height that `--box` names, in pixels.

    Raises:
        UsageError: they are not four numbers, or the box is empty.
    """
    try:
        left, top, width, height = map(float, text.split(","))
    except ValueError:
        left = top = width = height = math.nan
    if not all(map(math.isfinite, (left, top, width, height))):
        raise UsageError(f"--box must be four numbers, got '{text}'.", fix=AS_BOX)
    if width <= 0 or height <= 0:
        raise UsageError(f"--box {text} is empty.", fix=AS_BOX)
    return left, top, width, height


def measure_visible(xyxy: tuple[float, float, float, float], width: int, height: int) -> float:
    """The share of a box that is inside of a picture, 0 to 1.

    Args:
        xyxy: borders of the box in pixels.
        width: pixels across of the picture.
        height: pixels down.
    """
    left, top, right, bottom = xyxy
    across = max(0.0, min(right, width) - max(left, 0.0))
    down = max(0.0, min(bottom, height) - max(top, 0.0))
    return across / max(right - left, 1e-9) * (down / max(bottom - top, 1e-9))
