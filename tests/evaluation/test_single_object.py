"""Figures of following one object, against sums written out frame by frame."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mot_dinov3.evaluation.single_object import (
    SingleObjectFigures,
    average_figures,
    find_errors,
    find_figures,
    find_precision,
    find_success,
)

HELD = np.array([[10, 10, 30, 50]], np.float32)
NOTHING = [math.nan] * 4


def measured(found, truth):
    return find_figures(find_errors(np.asarray(found, np.float32), np.asarray(truth, np.float32)))


def plain_figures(found, truth):
    """The same, one frame after the other, in the words of the papers."""
    overlaps, distances, shares = [], [], []
    for one, true in list(zip(found.tolist(), truth.tolist(), strict=True))[1:]:
        if any(math.isnan(value) for value in true):
            continue
        across = max(0, min(one[2], true[2]) - max(one[0], true[0]))
        down = max(0, min(one[3], true[3]) - max(one[1], true[1]))
        width, height = true[2] - true[0], true[3] - true[1]
        area = (one[2] - one[0]) * (one[3] - one[1])
        overlaps.append(across * down / (area + width * height - across * down))
        dx = (one[0] + one[2] - true[0] - true[2]) / 2
        dy = (one[1] + one[3] - true[1] - true[3]) / 2
        distances.append(math.hypot(dx, dy))
        shares.append(math.hypot(dx / width, dy / height))

    def part(values, holds):
        return sum(map(holds, values)) / len(values)

    return {
        "ao": sum(overlaps) / len(overlaps),
        "sr50": part(overlaps, lambda v: v > 0.5),
        "sr75": part(overlaps, lambda v: v > 0.75),
        "auc": sum(part(overlaps, lambda v, t=t: v > t / 20) for t in range(21)) / 21,
        "precision": part(distances, lambda v: v <= 20),
        "norm_precision": sum(part(shares, lambda v, t=t: v <= t / 100) for t in range(51)) / 51,
    }


def test_figures_are_those_of_a_walk_through_the_frames():
    rng = np.random.default_rng(4)
    place = rng.uniform(0, 200, (300, 2))
    truth = np.concatenate([place, place + rng.uniform(15, 80, (300, 2))], axis=1)
    found = truth + rng.normal(0, 1, (300, 4)) * rng.uniform(0, 12, (300, 1))
    found[:, 2:] = np.maximum(found[:, 2:], found[:, :2] + 1)
    found, truth = found.astype(np.float32), truth.astype(np.float32)
    truth[rng.random(300) < 0.2] = np.nan
    figures = measured(found, truth)
    for name, value in plain_figures(found, truth).items():
        assert getattr(figures, name) == pytest.approx(value, abs=1e-5), name
    assert 0.2 < figures.auc < 0.9


def test_the_first_frame_and_frames_without_truth_do_not_count():
    far = [500, 500, 520, 540]
    truth = [HELD[0], HELD[0], NOTHING, HELD[0]]
    figures = measured([far, HELD[0], far, HELD[0]], truth)
    assert (figures.ao, figures.sr50, figures.sr75, figures.precision) == (1, 1, 1, 1)
    assert figures.norm_precision == 1
    assert figures.auc == pytest.approx(20 / 21)  # no IoU is above 1


def test_a_rate_counts_what_is_above_its_threshold_and_not_at_it():
    half = [10, 10, 30, 30]  # IoU exactly .5, centre 10 px higher: a quarter of the height
    figures = measured([HELD[0], half], [HELD[0], HELD[0]])
    assert (figures.ao, figures.sr50, figures.precision) == (0.5, 0, 1)
    assert figures.norm_precision == pytest.approx(26 / 51)


def test_a_centre_20_pixels_away_is_still_precise():
    near, far = HELD[0] + [20, 0, 20, 0], HELD[0] + [20.5, 0, 20.5, 0]
    errors = find_errors(
        np.stack([HELD[0], near, far]).astype(np.float32), np.repeat(HELD, 3, axis=0)
    )
    assert find_figures(errors).precision == 0.5
    assert find_precision(errors)[[19, 20, 21]].tolist() == [0, 0.5, 1]


def test_curves_fall_and_rise():
    rng = np.random.default_rng(0)
    found = np.repeat(HELD, 50, axis=0) + rng.normal(0, 5, (50, 4)).astype(np.float32)
    errors = find_errors(found, np.repeat(HELD, 50, axis=0))
    success = find_success(errors)
    assert len(success) == 21
    assert (np.diff(success) <= 0).all()
    assert (np.diff(find_precision(errors)) >= 0).all()


def test_without_a_frame_that_counts_there_are_no_figures():
    with pytest.raises(ValueError, match="no frame"):
        find_errors(np.repeat(HELD, 2, axis=0), np.array([HELD[0], NOTHING], np.float32))


def test_the_mean_counts_every_sequence_the_same():
    one, other = SingleObjectFigures(*[0.2] * 6), SingleObjectFigures(*[0.6] * 6)
    assert average_figures([one, other]).auc == pytest.approx(0.4)
