"""When the detector is asked, and what follows boxes between and beyond its answers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mot_dinov3.config.fields import flag, require

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class SearchConfig:
    """What follows boxes where there is no detection of them."""

    det_every: str = flag(
        "1",
        "--det-every",
        f"frames from one detection to the next, with searches in between; {AUTO}: when it pays",
        metavar="FRAMES",
    )
    det_max: int = flag(
        10,
        "--det-max",
        f"frames after which --det-every {AUTO} detects in any case",
        metavar="FRAMES",
    )
    searcher: str = flag(
        "flow", "--searcher", "what follows a box from frame to frame", metavar="NAME"
    )
    rescue: bool = flag(False, "--rescue", "search for confirmed tracks that miss their detection")
    rescue_max: int = flag(
        15,
        "--rescue-max",
        "frames for which a track is carried on without a detection",
        metavar="FRAMES",
    )
    rescue_budget_ms: float = flag(
        10.0,
        "--rescue-budget-ms",
        "time that --rescue may take of a frame, 0 for no limit",
        metavar="MS",
    )
    save_searched: bool = flag(
        False, "--save-searched", "write boxes that were searched to --save-mot, too"
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "det_every", str(self.det_every))  # a file may hold a number
        fits = self.det_every == AUTO or re.fullmatch(r"[1-9]\d{0,3}", self.det_every) is not None
        require(fits, "--det-every", f"a number of frames from 1 on, or {AUTO}", self.det_every)
        require(self.det_max >= 2, "--det-max", "at least 2", self.det_max)
        require(self.rescue_max >= 1, "--rescue-max", "at least 1", self.rescue_max)
        require(
            self.rescue_budget_ms >= 0, "--rescue-budget-ms", "0 or more", self.rescue_budget_ms
        )

    @property
    def skips(self) -> bool:
        """Whether there are frames that the detector is not asked about."""
        return self.det_every != "1"

    @property
    def wanted(self) -> bool:
        """Whether anything is searched."""
        return self.skips or self.rescue
