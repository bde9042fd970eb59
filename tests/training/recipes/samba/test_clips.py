"""Clips to learn from: of one length, hidden for a while, alike for a number."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from helpers.moving_together import draw_together
from mot_dinov3.data.trajectories.noise import DetectorNoise
from mot_dinov3.training.recipes.samba.clips import GAPS, WARM_UP, ClipRules, draw_clips, hide

RULES = ClipRules(20, 40, 4)


def draw(seed=0, noise=None, count=64, sequences=None):
    sequences = sequences or [draw_together(0, frames=90), draw_together(1, frames=130)]
    return draw_clips(sequences, noise, RULES, count, np.random.default_rng(seed))


def test_clips_of_a_batch_have_one_length_and_all_arrays_their_shapes():
    clips = draw()
    length = len(clips["truth"])
    assert RULES.shortest <= length <= RULES.longest
    assert clips["truth"].shape == clips["seen"].shape == (length, 64, 4, 4)
    for name in ("present", "observed", "score", "hidden"):
        assert clips[name].shape == (length, 64, 4)
        assert set(np.unique(clips[name])) <= {0.0, 1.0}
    assert clips["step"].shape == clips["steady"].shape == (64,)
    assert all(value.dtype == np.float32 for value in clips.values())
    assert set(np.unique(clips["step"])) == {1.0, 2.0, 3.0}


def test_what_is_hidden_is_there_and_not_seen():
    clips = draw()
    assert 0.15 < clips["hidden"].mean() < 0.6
    assert not (clips["hidden"] * clips["observed"]).any()
    np.testing.assert_array_equal(clips["hidden"] + clips["observed"], clips["present"])
    there = clips["present"] > 0
    np.testing.assert_allclose(clips["truth"][there][:, 2:], [[30, 60]] * there.sum(), atol=1e-2)
    np.testing.assert_array_equal(clips["seen"], clips["truth"])


def test_a_seed_decides_everything():
    one, again, other = draw(0), draw(0), draw(1)
    assert all(np.array_equal(one[name], again[name]) for name in one)
    assert len(one["truth"]) != len(other["truth"]) or (one["truth"] != other["truth"]).any()


def test_gaps_are_as_long_as_they_are_said_to_be():
    hidden = np.concatenate(
        [hide(60, 6, np.random.default_rng(seed)) for seed in range(200)], axis=1
    )
    assert not hidden[:WARM_UP].any()
    whole = hidden[:, ~hidden[-1] & hidden.any(axis=0)]
    lengths = whole.sum(axis=0)
    assert GAPS[0] <= lengths.min() < lengths.max() == GAPS[1]
    assert not hide(WARM_UP + GAPS[0], 6, np.random.default_rng(0)).any()


def test_cameras_shake_in_some_clips_and_mirror_in_half():
    still = draw_together(0, frames=90, own=0.0, shared=0.0)
    clips = draw(sequences=[still], count=200)
    moved = np.ptp(clips["truth"][..., 0], axis=0).max(axis=-1) > 1e-3
    assert 0.1 < moved.mean() < 0.5
    mirrored = clips["truth"][0, :, 0, 0] < 0
    assert 0.3 < mirrored.mean() < 0.7


def test_the_noise_of_a_detector_is_laid_over_what_has_none():
    clean = draw_together(0, frames=90)
    shifted = replace(clean, seen=clean.truth + 3, score=clean.score * 0.5, detected=True)
    clips = draw(noise=DetectorNoise.learn([shifted]), sequences=[clean])
    seen = clips["observed"] > 0
    off = np.abs(clips["seen"] - clips["truth"])[seen]
    np.testing.assert_allclose(off[:, :2], 3, atol=1e-2)
    np.testing.assert_allclose(clips["score"][seen], 0.5)


def test_sequences_too_short_for_a_clip_are_passed_over():
    clips = draw(sequences=[draw_together(0, frames=10), draw_together(1, frames=45)], count=8)
    assert clips["truth"].shape[1] == 8
