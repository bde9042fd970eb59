"""What a network learns with is what the tracker will do with it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from helpers.moving_together import draw_together, make_cell, weights_of
from mot_dinov3.config import MotionConfig
from mot_dinov3.tracking.camera.steady import estimate_shift
from mot_dinov3.tracking.motion.samba import SambaMotion
from mot_dinov3.tracking.motion.samba_network import read_network
from mot_dinov3.training.recipes.samba.clips import ClipRules, draw_clips
from mot_dinov3.training.recipes.samba.rollout import roll_out
from mot_dinov3.values.boxes import cxcywh_to_xyxy, xyxy_to_cxcywh

CONFIG = MotionConfig()
RULES = ClipRules(40, 40, 6)


def draw(steady, count=4):
    sequences = [draw_together(seed, frames=100, objects=6) for seed in range(3)]
    clips = draw_clips(sequences, None, RULES, count, np.random.default_rng(0))
    clips["steady"][:] = steady
    clips["observed"][:9, :, 2] = 0  # comes late
    clips["observed"][25:, :, 3] = 0  # leaves early
    return {name: torch.from_numpy(value) for name, value in clips.items()}


def follow(cell, clips, clip):
    """Predictions of one clip, as the tracker would make them: (L - 1, T, 4), NaN where none."""
    model = SambaMotion(CONFIG, trained=read_network(weights_of(cell)))
    step_s = float(clips["step"][clip]) / 30
    tracks: list[int] = []
    seen_before = hits = np.zeros(6)
    out = []
    for frame in range(len(clips["truth"])):
        boxes = cxcywh_to_xyxy(clips["seen"][frame, clip].numpy())
        observed = clips["observed"][frame, clip].numpy() > 0
        score = clips["score"][frame, clip].numpy()
        predicted = np.full((6, 4), np.nan, np.float32)
        if frame:
            model.predict(step_s, seen_before[tracks] == 0)
            if clips["steady"][clip]:
                known = (seen_before[tracks] > 0) & (hits[tracks] >= 3)
                model.shift(estimate_shift(boxes[observed], model.xyxy()[known]))
            predicted[tracks] = xyxy_to_cxcywh(model.xyxy())
            out.append(predicted)
        rows = np.flatnonzero(observed[tracks])
        there = np.array(tracks, int)[rows]
        model.update(rows, boxes[there], score[there])
        new = np.setdiff1d(np.flatnonzero(observed), tracks)
        model.initiate(boxes[new], score[new])
        tracks += new.tolist()
        seen_before, hits = observed.astype(float), hits + observed
    return np.stack(out)


@pytest.mark.parametrize("steady", [0.0, 1.0])
@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_it_follows_tracks_as_the_motion_model_does(noise, steady):
    cell, clips = make_cell(noise=noise), draw(steady)
    with torch.no_grad():
        forecast = roll_out(cell, clips, CONFIG)
    for clip in range(4):
        known = forecast.known[:, clip].numpy() > 0
        expected = follow(cell, clips, clip)
        np.testing.assert_array_equal(np.isfinite(expected[..., 0]), known)
        off = np.abs(forecast.position[:, clip].numpy() - expected)[known]
        if steady:  # the tracker pairs boxes itself, and not always those of one object
            assert np.median(off) < 1.0
        else:
            assert off.max() < 0.1


def test_hidden_tracks_teach_all_parts_of_the_network():
    cell, clips = make_cell(noise=0.05), draw(1.0)
    forecast = roll_out(cell, clips, CONFIG)
    (forecast.position * clips["hidden"][1:, ..., None]).sum().backward()
    silent = [
        name for name, one in cell.named_parameters() if one.grad is None or not one.grad.any()
    ]
    assert silent == []
    assert forecast.variance.shape == (39, 4, 6, 2)
    assert (forecast.variance > 0).all()
