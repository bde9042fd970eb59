"""Evidence that every detection has in every frame, because it costs next to nothing."""

from __future__ import annotations

from dataclasses import dataclass

from mot_dinov3.config.fields import flag, require
from mot_dinov3.config.tracking.inputs import OF_DETECTOR, EmbedderConfig

NOTHING = "none"


@dataclass(frozen=True, slots=True)
class CheapConfig:
    """Evidence of appearance for the detections that have no embedding in this frame."""

    cheap_evidence: str = flag(
        NOTHING,
        "--cheap-evidence",
        "compare boxes without an embedding by the detector's own features",
        choices=(NOTHING, *OF_DETECTOR),
    )
    cheap_weight: float = flag(
        0.3,
        "--cheap-weight",
        "greatest share of --cheap-evidence in the cost of a pair",
        metavar="SHARE",
    )

    def __post_init__(self) -> None:
        known = NOTHING, *OF_DETECTOR
        ok = self.cheap_evidence in known
        require(ok, "--cheap-evidence", " or ".join(known), self.cheap_evidence)
        require(0 <= self.cheap_weight <= 1, "--cheap-weight", "between 0 and 1", self.cheap_weight)

    @property
    def wanted(self) -> bool:
        """Whether such evidence is computed."""
        return self.cheap_evidence != NOTHING

    @property
    def embedder(self) -> EmbedderConfig:
        """The embedder that gives the evidence, where it is wanted."""
        return EmbedderConfig(embedder=self.cheap_evidence)
