"""Faster R-CNN, the public detections of MOT17, fitted on its seven training sequences.

Written by `PYTHONPATH=src:tests python -m helpers.noise_members`.
"""

from __future__ import annotations

from mot_dinov3.data.synthetic.noise.base import (
    Background,
    BoxErrors,
    Course,
    DetectorNoise,
    Extras,
    Misses,
)

FRCNN = DetectorNoise(
    misses=Misses(
        base=2.689,
        size=0.819,
        size_twice=-0.356,
        sizes=(-1.374, 1.744),
        hidden=6.02,
        least_visible=0.1,
        course=Course(slow=0.95, seconds=6.0),
    ),
    errors=BoxErrors(
        x=(-0.119, -0.013, 0.005, 0.015, 0.025, 0.047, 0.151),
        y=(-0.032, -0.009, 0.0, 0.005, 0.011, 0.022, 0.061),
        width=(-0.098, -0.018, 0.01, 0.026, 0.044, 0.076, 0.166),
        height=(-0.053, -0.017, -0.001, 0.008, 0.018, 0.037, 0.089),
        links=(0.071, 0.14, 0.068, 0.096, 0.147, 0.147),
        hidden=2.0,
        course=Course(slow=0.6, seconds=0.4),
    ),
    score=(0.209, 0.981, 1.0, 1.0, 1.0, 1.0, 1.0),
    score_link=0.484,
    partials=Extras(
        base=-1.47,
        found=-0.596,
        crowd=-0.9,
        course=Course(constant=0.4, slow=0.4, seconds=0.4),
        errors=BoxErrors(
            x=(-0.737, -0.576, -0.4, -0.076, 0.386, 0.578, 0.748),
            y=(-0.394, -0.098, -0.016, 0.023, 0.064, 0.15, 0.354),
            width=(-0.607, -0.233, -0.019, 0.058, 0.142, 0.316, 0.707),
            height=(-0.562, -0.165, -0.047, 0.011, 0.069, 0.184, 0.433),
            links=(0.07, 0.046, 0.091, 0.363, 0.513, 0.58),
            course=Course(constant=0.2, slow=0.6, seconds=0.4),
        ),
        score=(0.104, 0.155, 0.366, 0.673, 0.867, 0.953, 0.993),
    ),
    background=Background(
        births_per_s=2.489,
        life_s=(0.033, 0.033, 0.04, 0.053, 0.12, 0.459, 2.055),
        seen=0.435,
        on_path=0.918,
        height=(-1.754, -1.009, -0.631, -0.51, -0.358, -0.145, 0.829),
        aspect=(0.196, 0.283, 0.354, 0.386, 0.427, 0.488, 0.599),
        wobble=0.073,
        score=(0.102, 0.137, 0.242, 0.424, 0.664, 0.879, 0.965),
        own_score=0.583,
    ),
    most_iou=0.7,
)
