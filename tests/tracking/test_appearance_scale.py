from __future__ import annotations

import math

import numpy as np

from mot_dinov3.tracking.appearance_scale import OLD_S, AppearanceScale

YOUNG, OLD = np.zeros(4, np.float32), np.full(4, OLD_S, np.float32)


def cosines(*values):
    return np.array(values, np.float32)


def test_a_cost_falls_with_the_cosine_and_is_bounded():
    scale = AppearanceScale(gate=0.7, same=0.9, stranger=0.4)
    np.testing.assert_allclose(
        scale.cost(cosines(1.0, 0.9, 0.65, -1.0), YOUNG), [0, 0, 0.5, 1], atol=1e-6
    )


def test_the_same_object_may_have_changed_since_an_old_memory():
    scale = AppearanceScale(gate=0.7, same=0.9, same_old=0.7, trust=1.0, trust_old=0.3)
    look = cosines(0.7, 0.7, 0.7, 0.7)
    assert scale.cost(look, OLD).max() < 1e-6
    assert (scale.cost(look, YOUNG) > 0).all()
    assert (scale.believe(OLD) < scale.believe(YOUNG)).all()


def test_an_embedder_that_tells_nothing_lets_no_track_return():
    blind = AppearanceScale(gate=math.inf, trust=0.0, trust_old=0.0)
    assert not blind.lets_return
    assert not blind.tells_apart
    assert AppearanceScale(gate=0.7).lets_return
    assert AppearanceScale(gate=math.inf).tells_apart
