"""Evidence that every detection has in every frame, because it costs next to nothing."""

from __future__ import annotations

from dataclasses import dataclass

from mot_dinov3.config.fields import flag, require
from mot_dinov3.config.tracking.inputs import NECK, EmbedderConfig

NOTHING = "none"


@dataclass(frozen=True, slots=True)
class CheapConfig:
    """What tells detections apart where no embedding was computed."""

    cheap_evidence: str = flag(
        NOTHING,
        "--cheap-evidence",
        "beside embeddings: the detector's own features of every box, or none",
        choices=(NOTHING, NECK),
    )
    cheap_weight: float = flag(
        0.3, "--cheap-weight", "share of that evidence in the cost of a pair, at its most reliable"
    )

    def __post_init__(self) -> None:
        known = self.cheap_evidence in (NOTHING, NECK)
        require(known, "--cheap-evidence", f"{NOTHING} or {NECK}", self.cheap_evidence)
        require(0 <= self.cheap_weight <= 1, "--cheap-weight", "between 0 and 1", self.cheap_weight)

    @property
    def wanted(self) -> bool:
        """Whether there shall be any."""
        return self.cheap_evidence != NOTHING

    @property
    def embedder(self) -> EmbedderConfig:
        """The embedder that gives it, where it is wanted."""
        return EmbedderConfig(embedder=self.cheap_evidence)
