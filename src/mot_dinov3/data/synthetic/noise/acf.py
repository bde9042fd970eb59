"""ACF, the public detections of MOT15, fitted on PETS09-S2L1 (frames 1 to 530).

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

ACF = DetectorNoise(
    misses=Misses(
        base=1.267,
        size=-0.894,
        size_twice=2.473,
        sizes=(-0.44, 0.295),
        hidden=2.519,
        least_visible=0.1,
        course=Course(constant=0.4, slow=0.4, seconds=2.5),
    ),
    errors=BoxErrors(
        x=(-0.304, -0.184, -0.095, -0.03, 0.034, 0.125, 0.253),
        y=(-0.118, -0.058, -0.034, -0.016, 0.002, 0.029, 0.089),
        width=(-0.152, 0.012, 0.128, 0.21, 0.274, 0.377, 0.492),
        height=(-0.236, -0.112, -0.064, -0.027, 0.008, 0.061, 0.144),
        links=(0.07, -0.19, -0.008, -0.104, -0.143, 0.448),
        hidden=0.533,
        course=Course(slow=0.6, seconds=2.5),
    ),
    score=(0.288, 0.699, 0.924, 0.963, 0.981, 0.993, 0.998),
    score_link=0.148,
    duplicates=Extras(
        base=-1.143,
        crowd=-1.039,
        course=Course(slow=0.4, seconds=2.5),
        errors=BoxErrors(
            x=(-0.333, -0.295, -0.237, -0.169, 0.226, 0.281, 0.349),
            y=(-0.121, -0.074, -0.029, 0.015, 0.041, 0.073, 0.146),
            width=(-0.135, 0.007, 0.089, 0.147, 0.201, 0.273, 0.402),
            height=(-0.35, -0.131, -0.083, -0.057, -0.023, 0.016, 0.11),
            links=(0.187, -0.008, -0.094, -0.12, -0.296, 0.444),
            course=Course(constant=0.2, slow=0.2),
        ),
        score=(0.173, 0.249, 0.376, 0.525, 0.709, 0.987, 0.998),
    ),
    partials=Extras(
        base=-0.02,
        found=-1.067,
        crowd=-0.83,
        course=Course(slow=0.4, seconds=6.0),
        errors=BoxErrors(
            x=(-0.635, -0.521, -0.395, -0.288, 0.35, 0.464, 0.606),
            y=(-0.342, -0.108, -0.032, 0.027, 0.06, 0.123, 0.344),
            width=(-0.434, -0.064, 0.117, 0.185, 0.262, 0.386, 0.679),
            height=(-0.623, -0.206, -0.1, -0.058, -0.012, 0.119, 0.453),
            links=(0.2, -0.163, -0.124, -0.394, -0.457, 0.769),
            course=Course(constant=0.2, slow=0.4),
        ),
        score=(0.174, 0.227, 0.322, 0.412, 0.559, 0.899, 0.994),
    ),
    background=Background(
        births_per_s=0.901,
        life_s=(0.143, 0.143, 0.143, 0.143, 0.471, 1.143, 1.949),
        seen=0.625,
        on_path=0.5,
        height=(-0.297, -0.297, -0.297, 0.047, 0.047, 0.225, 0.431),
        aspect=(0.441, 0.441, 0.441, 0.441, 0.441, 0.441, 0.441),
        score=(0.191, 0.209, 0.238, 0.31, 0.471, 0.844, 0.961),
        own_score=0.586,
    ),
    most_iou=0.507,
)
