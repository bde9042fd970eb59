"""The figures of `value`: what embeddings are worth, from 0 to 1."""

from __future__ import annotations

from dataclasses import dataclass

from mot_dinov3.tracking.appearance_scale import STRANGER_DISTANCE


@dataclass(frozen=True, slots=True)
class Worth:
    """What embeddings are worth; the figures were tuned on synthetic worlds.

    The first group rates an ambiguity of place, the second sets costs where place alone says
    nothing, the third rates a track that may have been mixed up, the fourth rates galleries, and
    the last one keeps any track from waiting for ever.

    Attributes:
        regret: cost to the next best assignment from which appearance cannot overrule place, even
            if the two tracks look like strangers.
        stranger: cosine distance at which two tracks look as different as strangers do.
        half_known: share of `regret` that appearance can overrule if one of the two tracks alone
            has a gallery.
        calm: what an ambiguity is worth less in the frame after its track was embedded.
        calm_frames: frames in which that fades to 1 / e.
        afar: cost of a track at the very spot where it is expected, if association would not take
            it there: boxes do not overlap enough, or the track was lost for too long.
        spread: by how much of its size a lost track may have gone astray per second.
        surprise: cosine distance from its gallery at which an embedding shows another object.
        around: detections within so many sizes of such a track are embedded with it in the next
            frame.
        alarm: worth of those embeddings.
        enrol: worth of the first, second, ... embedding of a track.
        half_life: frames after which a refresh is worth 0.5.
        drift: mean cosine distance of consecutive embeddings that doubles the pace of refreshes.
        snapshot: frames that a track about to be covered or to leave counts as older.
        arbitrate: worth of embedding a track that overlapped with another one before.
        covered: share of a box that must be about to be covered.
        oldest: frames after which a track is embedded whatever its worth.
        turns: every so many slots, one belongs to the track that waited longest.
    """

    regret: float = 1.3
    stranger: float = STRANGER_DISTANCE
    half_known: float = 0.5
    calm: float = 0.1
    calm_frames: float = 3.0

    afar: float = 0.9
    spread: float = 1.0

    surprise: float = 0.5
    around: float = 1.5
    alarm: float = 0.95

    enrol: tuple[float, ...] = (1.0, 0.95, 0.9)
    half_life: float = 12.0
    drift: float = 0.1
    snapshot: float = 12.0
    arbitrate: float = 0.9
    covered: float = 0.25

    oldest: int = 60
    turns: int = 4
