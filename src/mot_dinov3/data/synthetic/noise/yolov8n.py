"""YOLOv8n at 960 px, fitted on PETS09-S2L1 (frames 1 to 530) and 39 frames of MOT17.

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

YOLOV8N = DetectorNoise(
    misses=Misses(
        base=1.669,
        size=1.069,
        size_twice=-0.251,
        sizes=(-0.938, 0.636),
        hidden=2.36,
        least_visible=0.1,
        course=Course(slow=0.95, seconds=6.0),
    ),
    errors=BoxErrors(
        x=(-0.281, -0.143, -0.061, -0.007, 0.049, 0.152, 0.267),
        y=(-0.116, -0.032, -0.012, -0.002, 0.009, 0.028, 0.097),
        width=(-0.401, -0.167, -0.036, 0.048, 0.138, 0.257, 0.444),
        height=(-0.235, -0.055, -0.021, -0.005, 0.01, 0.036, 0.128),
        links=(0.048, -0.064, -0.049, 0.098, -0.002, 0.086),
        hidden=0.862,
        course=Course(constant=0.2, slow=0.6),
    ),
    score=(0.125, 0.471, 0.735, 0.79, 0.822, 0.857, 0.889),
    score_link=0.9,
    duplicates=Extras(
        base=-1.768,
        crowd=0.566,
        course=Course(slow=0.8, seconds=0.4),
        errors=BoxErrors(
            x=(-0.305, -0.192, -0.104, -0.025, 0.103, 0.226, 0.334),
            y=(-0.205, -0.145, -0.044, -0.009, 0.01, 0.149, 0.223),
            width=(-0.594, -0.428, -0.284, -0.119, 0.111, 0.303, 0.503),
            height=(-0.554, -0.368, -0.128, -0.049, -0.012, 0.122, 0.317),
            links=(0.001, 0.212, 0.019, 0.04, -0.022, 0.188),
            course=Course(constant=0.4, slow=0.2, seconds=0.4),
        ),
        score=(0.104, 0.121, 0.156, 0.232, 0.328, 0.642, 0.826),
    ),
    partials=Extras(
        base=-0.411,
        found=-1.099,
        crowd=0.133,
        course=Course(slow=0.8),
        errors=BoxErrors(
            x=(-0.529, -0.355, -0.15, 0.02, 0.175, 0.372, 0.498),
            y=(-0.349, -0.292, -0.221, -0.118, 0.002, 0.15, 0.492),
            width=(-0.912, -0.686, -0.459, -0.267, -0.043, 0.278, 0.687),
            height=(-1.271, -0.939, -0.607, -0.396, -0.098, 0.091, 0.46),
            links=(0.014, 0.004, 0.01, 0.205, 0.527, 0.332),
            course=Course(constant=0.2, slow=0.6, seconds=0.4),
        ),
        score=(0.102, 0.111, 0.142, 0.191, 0.274, 0.729, 0.857),
    ),
    background=Background(
        births_per_s=1.966,
        life_s=(0.143, 0.143, 0.143, 0.429, 0.857, 3.486, 13.886),
        seen=0.868,
        on_path=0.263,
        height=(-1.975, -1.335, -1.112, -0.779, -0.453, 0.178, 0.502),
        aspect=(0.082, 0.19, 0.344, 0.513, 0.671, 0.759, 1.215),
        wobble=0.004,
        score=(0.101, 0.115, 0.158, 0.231, 0.349, 0.651, 0.821),
        own_score=0.645,
    ),
    most_iou=0.698,
)
