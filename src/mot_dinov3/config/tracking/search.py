"""What follows a known object where nothing is detected."""

from __future__ import annotations

from dataclasses import dataclass

from mot_dinov3.config.fields import flag


@dataclass(frozen=True, slots=True)
class SearchConfig:
    """What follows a known object where nothing is detected."""

    searcher: str = flag(
        "flow", "--searcher", "what follows a box from frame to frame", metavar="NAME"
    )
