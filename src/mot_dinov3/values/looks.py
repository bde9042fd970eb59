"""What an embedding told about its track, beside the frame it was computed in."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Look:
    """One embedding that was computed in a frame, compared with what was known before it.

    Attributes:
        track_id: the identity that it was computed for.
        similarity: cosine with what was remembered of that identity, NaN for its first embedding.
        resembles: for a first embedding, (identity, cosine) of those which left shortly before
            and look most like it, best first.
    """

    track_id: int
    similarity: float = math.nan
    resembles: tuple[tuple[int, float], ...] = ()
