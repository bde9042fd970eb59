"""What labelled pairs of crops say of an embedder: the gate, the cost of a cosine, the trust in it.

Pairs of strangers say how alike two objects look, pairs of the same object how alike one looks
after a while. The gate lets a fixed small share of the strangers pass; where the same object passes
it hardly more often, the embedder cannot tell these objects apart.
"""

from __future__ import annotations

import math

from mot_dinov3.tracking.appearance_scale import STRANGER_DISTANCE, AppearanceScale
from mot_dinov3.tracking.distances import DistanceHistogram
from mot_dinov3.values import SimilarityPrior
from mot_dinov3.values.run_facts import AppearanceFacts

FALSE_RETURNS = 0.02
"""Share of strangers that may look alike enough to return as each other."""

LEAST_GAIN = 8.0
"""The same object must pass the gate so many times as often as a stranger does, else no track
returns by appearance: among many lost tracks the wrong one would be taken too often."""

ENOUGH_STRANGERS, ENOUGH_SAME = 4, 8
"""Pairs from which on the run's own are used at all, and from which on they may say that the
embedder cannot tell these objects apart."""

WIDEST_GATE = 0.6
"""The gate lets nothing pass that is further away, however different the strangers so far were."""

PRIOR_PAIRS = 10
"""Pairs that the prior counts for."""

PAIRS_EACH = 20
"""Crops of the same two objects that count for the gate."""

TYPICAL = 0.25
"""Share of crops of the same object that are nearer than the typical cosine: those cost nothing."""

BLIND_AUC, SURE_AUC, PRIOR_AUC = 0.6, 0.95, 0.9
"""AUC at which appearance is not believed, at which it is believed in full, and without pairs."""


class Evidence:
    """The distances of labelled pairs, and what follows from them.

    Attributes:
        strangers: pairs of two objects.
        same: pairs of one object, a moment apart.
        same_old: the same, further apart than `appearance_scale.OLD_S`.
        objects: how many objects the strangers were.
    """

    def __init__(self, prior: SimilarityPrior) -> None:
        """Begin without pairs, and with what is known of the embedder before."""
        self._prior = prior
        self.strangers, self.same = DistanceHistogram(), DistanceHistogram()
        self.same_old = DistanceHistogram()
        self.objects = 0

    @property
    def total(self) -> float:
        """How many pairs there are."""
        return self.strangers.total + self.same.total + self.same_old.total

    @property
    def is_enough(self) -> bool:
        """Whether the pairs say anything yet."""
        return self.strangers.total >= ENOUGH_STRANGERS

    def compute_scale(self) -> AppearanceScale:
        """What the pairs say so far; there must be enough of strangers."""
        n = self.strangers.total
        alike = self._measure_gate()
        gate = 1.0 - alike
        same, auc = self._measure_same(self.same)
        same_old, auc_old = self._measure_same(self.same_old)
        widest = max(STRANGER_DISTANCE, alike * STRANGER_DISTANCE / (1.0 - self._prior.gate))
        usual = _mix(self.strangers.quantile(0.5), STRANGER_DISTANCE, n)
        stranger = max(1.0 - usual, 1.0 - widest)
        if self._is_blind(alike):
            return AppearanceScale(math.inf, same, same_old, stranger, 0.0, 0.0)
        if self.same_old.total < ENOUGH_SAME and not self._prior.trusted:
            gate = math.inf
        trust, trust_old = _trust(auc), _trust(auc_old)
        return AppearanceScale(gate, same, min(same_old, same), stranger, trust, trust_old)

    def _measure_gate(self) -> float:
        """The distance below which only `FALSE_RETURNS` of the strangers are."""
        n = self.strangers.total
        nearest = self.strangers.quantile(max(FALSE_RETURNS, 1.0 / n))
        # However many crops there are, two objects are one pair of strangers.
        told = min(n, PAIRS_EACH * self.objects * (self.objects - 1) / 2)
        return min(_mix(nearest, 1.0 - self._prior.gate, told), WIDEST_GATE)

    def _measure_same(self, same: DistanceHistogram) -> tuple[float, float]:
        """The typical cosine of the same object, and the AUC against strangers."""
        n = same.total
        if not n:
            return 1.0, PRIOR_AUC
        weight = n / (n + PRIOR_PAIRS)
        auc = weight * same.separation(self.strangers) + (1.0 - weight) * PRIOR_AUC
        return 1.0 - weight * same.quantile(TYPICAL), auc

    def _is_blind(self, alike: float) -> bool:
        """Whether the same object passes the gate hardly more often than strangers do."""
        passing = self.same_old.share_below(alike)
        return self.same_old.total >= ENOUGH_SAME and passing < LEAST_GAIN * FALSE_RETURNS

    def report(self, scale: AppearanceScale) -> AppearanceFacts | None:
        """What was found, and made of it in `scale`, for the summary; None while too little."""
        if not self.is_enough:
            return None
        same = self.same_old if self.same_old.total >= ENOUGH_SAME else self.same
        has_same = same.total > 0
        return AppearanceFacts(
            gate=round(1.0 - self._measure_gate(), 3),
            returns=scale.lets_return,
            used=scale.tells_apart,
            stranger=round(1.0 - self.strangers.quantile(0.5), 3),
            same=round(1.0 - same.quantile(0.5), 3) if has_same else None,
            auc=round(same.separation(self.strangers), 3) if has_same else None,
        )


def _mix(measured: float, prior: float, pairs: float) -> float:
    """A distance between a measured and a prior one, on a scale of powers."""
    weight = pairs / (pairs + PRIOR_PAIRS)
    return math.exp(weight * math.log(max(measured, 1e-6)) + (1 - weight) * math.log(prior))


def _trust(auc: float) -> float:
    """In [0, 1]: how far appearance is believed at an AUC."""
    return min(max((auc - BLIND_AUC) / (SURE_AUC - BLIND_AUC), 0.0), 1.0)
