"""What a search wants: quality against the ground truth, and few crops."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

from mot_dinov3.errors import UnknownNameError, UsageError

FAMILY_OF = {"hota": "hota", "assa": "hota", "deta": "hota", "idf1": "identity", "mota": "clear"}
"""Objective -> the family of figures that it belongs to; higher is better for all of them."""

PENALTY = 10.0
"""Points that every percent above the limit of crops costs: the search finds its way back."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a configuration is worth on some recordings.

    Attributes:
        scores: recording -> figure -> percent.
        crops: recording -> crops that were embedded.
        shares: recording -> percent of the crops that there were to embed.
    """

    scores: Mapping[str, Mapping[str, float]]
    crops: Mapping[str, int]
    shares: Mapping[str, float]

    def mean(self, figure: str) -> float:
        """A figure's mean over the recordings, which count alike, in percent."""
        return fmean(scores[figure] for scores in self.scores.values())

    @property
    def share(self) -> float:
        """The mean share of crops in percent."""
        return fmean(self.shares.values())


@dataclass(frozen=True, slots=True)
class Objective:
    """One number to be made large.

    Attributes:
        figure: a key of `FAMILY_OF`.
        crop_price: points that one percent of the crops costs.
        max_share: percent of the crops that may be embedded, at most.
    """

    figure: str = "hota"
    crop_price: float = 0.0
    max_share: float = 100.0

    def __post_init__(self) -> None:
        if self.figure not in FAMILY_OF:
            raise UnknownNameError("objective", self.figure, FAMILY_OF)
        if not 0 <= self.crop_price <= 100 or not 0 <= self.max_share <= 100:
            raise UsageError(
                "--crop-price and --max-share must be between 0 and 100.",
                fix="Give both a percentage.",
            )

    def value(self, verdict: Verdict) -> float:
        """Quality, less the price of the crops, less a penalty for too many."""
        over = max(0.0, verdict.share - self.max_share)
        price = self.crop_price * verdict.share
        return round(verdict.mean(self.figure) - price - PENALTY * over, 6)

    def admits(self, verdict: Verdict) -> bool:
        """Whether the limit of crops is kept."""
        return verdict.share <= self.max_share

    @property
    def title(self) -> str:
        """The objective in words."""
        words = self.figure.upper()
        if self.crop_price:
            words += f" - {self.crop_price:g} x percent of crops"
        return words + (f", at most {self.max_share:g} % of crops" * (self.max_share < 100))
