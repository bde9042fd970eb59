"""Writes the members of `data.synthetic.noise` again, fitted to the real detections of the assets.

PYTHONPATH=src:tests python -m helpers.noise_members [NAME ...] && ruff format src
"""

from __future__ import annotations

import sys
from dataclasses import fields, is_dataclass

from helpers.noise_fit import fit
from helpers.noise_samples import read_samples
from helpers.places import SOURCE
from mot_dinov3.data.synthetic.noise.base import (
    Background,
    BoxErrors,
    Course,
    DetectorNoise,
    Extras,
    Misses,
)

COMMAND = "PYTHONPATH=src:tests python -m helpers.noise_members"
TITLES = {
    "acf": "ACF, the public detections of MOT15, fitted on PETS09-S2L1 (frames 1 to 530)",
    "frcnn": "Faster R-CNN, the public detections of MOT17, fitted on its seven training sequences",
    "yolov8n": "YOLOv8n at 960 px, fitted on PETS09-S2L1 (frames 1 to 530) and 39 frames of MOT17",
}


def format_value(value):
    """A figure as source text, rounded to what is known of it."""
    if is_dataclass(value):
        parts = [f"{f.name}={format_value(getattr(value, f.name))}" for f in fields(value)
                 if getattr(value, f.name) != f.default]  # fmt: skip
        return f"{type(value).__name__}({', '.join(parts)})"
    if isinstance(value, tuple):
        return f"({', '.join(format_value(one) for one in value)})"
    return repr(round(float(value), 3))


def format_member(name, noise):
    """The file of a member."""
    text = format_value(noise)
    used = [c.__name__ for c in (Background, BoxErrors, Course, DetectorNoise, Extras, Misses)]
    names = ", ".join(word for word in used if f"{word}(" in text)
    return (
        f'"""{TITLES[name]}.\n\nWritten by `{COMMAND}`.\n"""\n\n'
        f"from __future__ import annotations\n\n"
        f"from mot_dinov3.data.synthetic.noise.base import {names}\n\n"
        f"{name.upper()} = {text}\n"
    )


def write_members(names):
    """Fit and write each member."""
    for name in names:
        path = SOURCE / "mot_dinov3" / "data" / "synthetic" / "noise" / f"{name}.py"
        path.write_text(format_member(name, fit(*read_samples(name))))


if __name__ == "__main__":
    write_members(sys.argv[1:] or TITLES)
