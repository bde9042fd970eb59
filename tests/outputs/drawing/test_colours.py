"""Colours of identities: the same in every run, and those of neighbours far apart."""

from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.outputs.drawing.colours import (
    NEUTRAL,
    PALETTE,
    choose_colour,
    choose_text_colour,
)

FAR = 0.11
"""Distance in OKLab; a difference of about 0.02 is just seen."""


def to_oklab(bgr):
    """(N, 3) OKLab of (N, 3) sRGB bytes, as B. Ottosson defines it."""
    rgb = np.asarray(bgr, float)[:, ::-1] / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_cones = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    to_lab = np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    return np.cbrt(linear @ to_cones.T) @ to_lab.T


def distances(ids):
    lab = to_oklab([choose_colour(n) for n in ids])
    return np.linalg.norm(lab[:, None] - lab[None], axis=2)


def test_an_identity_keeps_its_colour():
    assert choose_colour(1) == (0x1E, 0x87, 0x3C)
    assert choose_colour(7) == choose_colour(7 + len(PALETTE))


def test_no_two_colours_are_alike():
    apart = distances(range(1, len(PALETTE) + 1))
    assert apart[np.triu_indices(len(PALETTE), 1)].min() > FAR


@pytest.mark.parametrize(("step", "least"), [(1, 0.2), (2, 0.17), (3, 0.25)])
def test_identities_that_follow_each_other_are_the_farthest_apart(step, least):
    apart = distances(range(1, 100))
    assert np.diagonal(apart, step).min() > least


def test_a_track_without_an_identity_is_grey():
    assert choose_colour(-4) == choose_colour(0) == NEUTRAL


@pytest.mark.parametrize(
    ("background", "text"),
    [((255, 255, 255), 0), ((0, 255, 255), 0), ((0, 0, 0), 255), ((180, 0, 0), 255)],
)
def test_text_is_readable_on_its_label(background, text):
    assert choose_text_colour(background) == (text, text, text)
