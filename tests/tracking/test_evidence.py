"""From labelled distances to a gate, a cost and a trust."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mot_dinov3.tracking.evidence import ENOUGH_SAME, ENOUGH_STRANGERS, FALSE_RETURNS, Evidence
from mot_dinov3.values import SimilarityPrior


def told(strangers, same, same_old, objects=30, **prior):
    """Evidence with so many distances, drawn around the given ones."""
    rng, evidence = np.random.default_rng(0), Evidence(SimilarityPrior(**prior))
    for histogram, (distance, count) in (
        (evidence.strangers, strangers),
        (evidence.same, same),
        (evidence.same_old, same_old),
    ):
        histogram.add((1 - distance * rng.lognormal(0, 0.25, count)).astype(np.float32))
    evidence.objects = objects
    return evidence


@pytest.mark.parametrize("width", [1.0, 0.02])
def test_the_gate_lets_few_strangers_pass_on_any_scale(width):
    evidence = told((0.5 * width, 4000), (0.1 * width, 500), (0.2 * width, 500))
    scale = evidence.compute_scale()
    assert evidence.strangers.share_below(1 - scale.gate) == pytest.approx(FALSE_RETURNS, abs=0.01)
    assert evidence.same_old.share_below(1 - scale.gate) > 0.5
    assert scale.trust > 0.9


def test_little_evidence_stays_near_the_prior():
    few = told((0.02, 5), (0.01, 5), (0.01, 5)).compute_scale()
    many = told((0.02, 500), (0.01, 5), (0.01, 5)).compute_scale()
    assert 0.7 < few.gate < many.gate


def test_many_crops_of_two_objects_are_little_evidence():
    two = told((0.02, 900), (0.01, 9), (0.01, 9), objects=2).compute_scale()
    assert two.gate < told((0.02, 900), (0.01, 9), (0.01, 9)).compute_scale().gate


def test_an_embedder_that_tells_nothing_is_not_used():
    blind = told((0.1, 900), (0.1, 90), (0.1, 90)).compute_scale()
    assert not blind.lets_return
    assert not blind.tells_apart


def test_an_embedder_that_is_not_trusted_waits_for_its_own_pairs():
    few = told((0.5, 90), (0.1, 90), (0.1, ENOUGH_SAME - 1), trusted=False)
    enough = told((0.5, 90), (0.1, 90), (0.1, ENOUGH_SAME), trusted=False)
    assert few.compute_scale().gate == math.inf
    assert few.compute_scale().tells_apart
    assert enough.compute_scale().lets_return


def test_nothing_is_reported_of_too_little():
    evidence = told((0.5, ENOUGH_STRANGERS - 1), (0.1, 9), (0.1, 9))
    assert not evidence.is_enough
    evidence.strangers.add(np.float32([0.5]))
    facts = evidence.report(evidence.compute_scale())
    assert facts.auc > 0.9
    assert facts.stranger < facts.same
