from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.scheduling.cost_model import FADE, CostModel, fill_up


def learned(cost, sizes=(1, 2, 4, 8), repeats=6):
    model = CostModel()
    for n in sizes:
        for _ in range(repeats):
            model.observe(n, cost(n))
    return model


def test_nothing_known_predicts_nothing():
    assert CostModel().predict_ms(4) == 0.0


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8, 12])
def test_a_fixed_cost_and_a_cost_per_crop_are_told_apart(n):
    model = learned(lambda n: 10 + 2 * n)
    assert model.predict_ms(n) == pytest.approx(10 + 2 * n, rel=0.01)


def test_a_step_in_the_cost_is_known_per_size():
    model = learned(lambda n: 5.0 if n <= 4 else 40.0)
    assert model.predict_ms(4) == pytest.approx(5)
    assert model.predict_ms(8) == pytest.approx(40)


def test_the_prediction_covers_most_of_a_noisy_cost():
    rng = np.random.default_rng(0)
    model, covered = CostModel(), []
    for _ in range(600):
        ms = float(10 * rng.lognormal(0, 0.1))
        if model.known:
            covered.append(ms <= model.predict_ms(1))
        model.observe(1, ms)
    assert np.mean(covered) > 0.9
    assert model.predict_ms(1) < 14


def test_a_busier_machine_is_noticed():
    model = learned(lambda n: 2.0 * n)
    for _ in range(12):
        model.observe(4, 16.0)
    assert model.predict_ms(1) > 3.0


def test_a_load_fades_while_nothing_fits():
    model = learned(lambda n: 5.0 * n, repeats=12)
    for _ in range(4):
        model.observe(1, 40.0)
    assert model.predict_ms(1) == pytest.approx(40, rel=0.05)
    assert not model.stale
    for _ in range(FADE):
        model.fade()
    assert model.stale
    assert model.predict_ms(1) == pytest.approx(5)


def test_one_slow_batch_among_many_is_no_load():
    model = learned(lambda n: 5.0 * n, repeats=12)
    model.observe(1, 500.0)
    assert model.predict_ms(1) < 6


def test_two_slow_batches_in_a_row_are_one_until_it_fades():
    model = learned(lambda n: 5.0 * n, repeats=12)
    for _ in range(2):
        model.observe(1, 40.0)
    assert model.predict_ms(1) == pytest.approx(40)
    for _ in range(FADE):
        model.fade()
    assert model.predict_ms(1) == pytest.approx(5)


def test_a_faster_machine_than_the_usual_one_does_not_fade():
    model = learned(lambda n: 50.0 * n, repeats=12)
    for _ in range(24):
        model.observe(1, 5.0)
    before = model.predict_ms(1)
    for _ in range(FADE):
        model.fade()
    assert model.predict_ms(1) <= before


@pytest.mark.parametrize(("n", "ms"), [(3, 1.25), (16, 5.0), (16, 800.0)])
def test_a_batch_of_a_new_size_says_how_busy_the_machine_is(n, ms):
    """It is beyond what any shape allows, so it is load, and the shape of the others holds."""
    model = learned(lambda n: 5.0 * n, sizes=(1, 2, 4, 8))
    model.forget_load()
    model.observe(n, ms)
    assert (model.predict_ms(1) < 2) == (ms < 10)
    assert (model.predict_ms(1) > 20) == (ms > 100)


def test_a_new_size_within_what_is_possible_says_nothing_of_the_load():
    model = learned(lambda n: 12 + 1.0 * n, sizes=(1,), repeats=20)
    model.observe(8, 20.0)
    assert model.predict_ms(8) == pytest.approx(20)
    assert model.predict_ms(1) == pytest.approx(13)


def test_a_slow_spell_is_forgotten_on_request():
    model = learned(lambda n: 5.0 * n)
    for _ in range(60):
        model.observe(1, 500.0)
    assert model.predict_ms(1) > 400
    model.forget_load()
    model.observe(1, 5.0)
    assert model.predict_ms(1) < 10


def test_a_poisoned_shape_is_corrected_by_one_probe():
    model = learned(lambda n: 80.0 * n)
    model.forget_load()
    model.observe(1, 5.0)
    assert model.predict_ms(3) == pytest.approx(15, rel=0.2)


BUCKETS = (1, 2, 4, 8, 16, 32)


@pytest.mark.parametrize(
    ("n", "filled"), [(1, 1), (3, 4), (5, 8), (17, 32), (32, 32), (33, 33), (37, 40), (70, 72)]
)
def test_a_batch_is_filled_up_to_the_next_size(n, filled):
    assert fill_up(n, BUCKETS) == filled
    assert fill_up(n, ()) == n


def test_a_batch_costs_what_the_size_costs_that_it_is_filled_up_to():
    """Between sizes a line would promise 5 crops for less than the 8 that are computed."""
    sizes = [BUCKETS]
    model = CostModel(lambda: sizes[0])
    for n in BUCKETS:
        for _ in range(6):
            model.observe(n, 1.0 + n)
    assert model.predict_ms(5) == model.predict_ms(8) == pytest.approx(9.0)
    assert model.predict_ms(17) == pytest.approx(33.0)
    model.observe(5, 9.0)
    assert model.typical_ms(6) == pytest.approx(9.0)
    sizes[0] = ()  # graphs were given up
    assert model.predict_ms(5) == pytest.approx(6.0, rel=0.02)
