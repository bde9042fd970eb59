"""Drawn boxes beside the real ones that their errors were fitted to, on the same ground truth."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.noise_fit import fit_background, fit_errors, fit_most_iou, fit_score_link
from helpers.noise_members import format_member, format_value
from helpers.noise_samples import (
    count_rates,
    count_repetitions,
    draw_sample,
    read_samples,
    share_repeated,
)
from helpers.places import ASSETS
from mot_dinov3.data.synthetic.noise.drawing import BACKGROUND, DUPLICATE, FOUND, PARTIAL
from mot_dinov3.data.synthetic.noise.factory import NOISES, load_noise

pytestmark = pytest.mark.skipif(
    not (ASSETS / "mot17").is_dir(), reason="the shared test assets are not here"
)


@pytest.fixture(scope="module", params=list(NOISES))
def both(request):
    """Real samples, and the same with drawn boxes, by several seeds."""
    real, _ = read_samples(request.param)
    seeds = range(1 if request.param == "frcnn" else 3)
    noise = load_noise(request.param)
    return real, [[draw_sample(one, noise, 100 + seed) for one in real] for seed in seeds]


def test_every_kind_of_box_has_its_rate(both):
    real, draws = both
    want = count_rates(real)
    got = np.mean([count_rates(draw) for draw in draws], axis=0)
    assert got[FOUND] == pytest.approx(want[FOUND], abs=0.03)
    assert got[DUPLICATE] == pytest.approx(want[DUPLICATE], rel=0.25, abs=0.002)
    assert got[PARTIAL] == pytest.approx(want[PARTIAL], rel=0.2)
    assert got[BACKGROUND] == pytest.approx(want[BACKGROUND], rel=0.35)


def precision(samples):
    kinds = np.concatenate([sample.labels[0] for sample in samples])
    return (kinds == FOUND).sum() / (kinds >= 0).sum()


def test_precision_and_confidences_are_those_of_the_real_boxes(both):
    real, draws = both
    got = np.mean([precision(draw) for draw in draws])
    assert got == pytest.approx(precision(real), abs=0.03)
    for kind in (FOUND, PARTIAL, BACKGROUND):
        scores = [
            np.concatenate([one.found.score[one.labels[0] == kind] for one in samples])
            for samples in (real, [one for draw in draws for one in draw])
        ]
        quartiles = [np.quantile(score, (0.25, 0.5, 0.75)) for score in scores]
        assert quartiles[1] == pytest.approx(quartiles[0], abs=0.12)


def test_misses_come_in_runs_as_the_real_ones_do(both):
    real, draws = both

    def shares(many):
        counts = sum(count_repetitions(s, [~one.has(FOUND) for one in s]) for s in many)
        return share_repeated(counts)[:5]

    assert shares(draws) == pytest.approx(shares([real]), abs=0.2)


def test_the_members_hold_what_the_fit_finds():
    samples, long = read_samples("acf")
    acf = load_noise("acf")
    errors = fit_errors(samples, long, FOUND)
    assert format_value(errors) == format_value(acf.errors)
    assert fit_background(long).life_s == pytest.approx(acf.background.life_s, abs=0.001)
    assert fit_most_iou(samples) == pytest.approx(acf.most_iou, abs=0.001)
    assert fit_score_link(samples, acf.misses) == pytest.approx(acf.score_link, abs=0.02)
    assert "duplicates=Extras(" in format_member("acf", acf)
