"""The figures of `value`: what embeddings are worth, from 0 to 1."""

from __future__ import annotations

from dataclasses import dataclass

from mot_dinov3.tracking.association.costs import STRANGER_DISTANCE


@dataclass(frozen=True, slots=True)
class Worth:
    """What embeddings are worth; the figures were tuned on synthetic worlds.

    Attributes:
        regret: from this difference to the next best assignment on, appearance cannot overrule
            place even if the two sides look like strangers.
        stranger: cosine distance at which two tracks look as different as strangers do.
        half_known: what takes the place of their distance if one side only has a gallery.
        calm: an ambiguity is worth so much less just after its track was embedded.
        calm_frames: frames in which that fades to 1 / e.
        afar: cost by place of a track at the very spot where it is expected, where boxes do not
            overlap enough or the track was lost too long.
        spread: by how much of its size a lost track may have gone astray per second.
        surprise: cosine distance from its gallery at which an embedding shows another object.
        around: detections within so many sizes of such a track are embedded with it in the next
            frame.
        alarm: what that is worth.
        enrol: the first, second, ... embedding of a track.
        half_life: frames until a refresh is worth a half.
        drift: mean change of appearance that doubles the pace of refreshes.
        snapshot: frames that count on top for a track about to be covered or to leave.
        covered: share of a box that must be about to be covered.
        oldest: frames after which a track is embedded whatever its worth.
        turns: every so many slots one belongs to the track that waited longest.
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
    covered: float = 0.25
    oldest: int = 60
    turns: int = 4
