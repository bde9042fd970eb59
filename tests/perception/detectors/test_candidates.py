"""Candidates that are selected where the network runs decode to what its raw maps decode to."""

from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.perception.detectors.candidates import DeviceCandidates
from mot_dinov3.perception.detectors.decode import decode_candidates, decode_levels

torch = pytest.importorskip("torch")

SIZES = ((12, 20), (6, 10), (3, 5))
HEIGHT, CLASSES = 96, 7


def raw_maps(pictures=2, bins=16, kind=torch.float32, seed=0):
    """Box maps and class maps of a head: noise in which about one cell in fifteen counts."""
    chance = torch.Generator().manual_seed(seed)
    boxes = [torch.randn(pictures, 4 * bins, *size, generator=chance) for size in SIZES]
    scores = [torch.randn(pictures, CLASSES, *size, generator=chance) - 3.5 for size in SIZES]
    return tuple(level.to(kind) for level in (*boxes, *scores))


@pytest.mark.parametrize("kind", [torch.float32, torch.float16])
@pytest.mark.parametrize("bins", [16, 1])
@pytest.mark.parametrize("floor", [0.0, 0.1, 0.3, 1.0])
def test_candidates_decode_to_the_same_numbers_as_whole_maps(kind, bins, floor):
    maps = raw_maps(bins=bins, kind=kind)
    (table,) = DeviceCandidates(floor)(maps, HEIGHT)
    assert table.dtype == torch.float32
    rows = table.numpy()
    for picture in range(2):
        levels = [level[picture : picture + 1].float().numpy() for level in maps]
        expected = decode_levels(levels, HEIGHT, floor)
        found = decode_candidates(rows[rows[:, 0] == picture])
        np.testing.assert_array_equal(found.xyxy, expected.xyxy)
        np.testing.assert_array_equal(found.score, expected.score)
        np.testing.assert_array_equal(found.class_id, expected.class_id)
        assert len(expected.score) == {0.0: 315, 1.0: 0}.get(floor, len(expected.score))
        assert (len(expected.score) > 0) == (floor < 1)


def test_little_is_fetched():
    """Of a picture of 960x544 pixels the raw maps are 6.2 MB in fp32."""
    sizes = ((68, 120), (34, 60), (17, 30))
    boxes = [torch.zeros(1, 64, *size) for size in sizes]
    scores = [torch.full((1, 80, *size), -9.0) for size in sizes]
    scores[1][0, 5, 10:14, 20:25] = 2.0
    whole = sum(level.nbytes for level in (*boxes, *scores))
    (table,) = DeviceCandidates(0.1)((*boxes, *scores), 544)
    assert whole > 6_000_000
    assert table.nbytes == 20 * 70 * 4
    assert set(table[:, 3].tolist()) == {16.0}


def test_maps_of_another_size_have_other_cells():
    select = DeviceCandidates(0.0)
    first = select(raw_maps(1), HEIGHT)[0]
    turned = tuple(level.transpose(2, 3) for level in raw_maps(1))
    assert len(select(turned, 160)[0]) == len(first)
    assert select(turned, 160)[0][:, 2].max() == 19.5
    torch.testing.assert_close(select(raw_maps(1), HEIGHT)[0], first)


def test_the_maps_of_the_neck_are_handed_on():
    neck = tuple(torch.randn(2, 8, *size) for size in SIZES)
    maps = raw_maps()
    table, *rest = DeviceCandidates(0.1, neck=True)((*maps, *neck), HEIGHT)
    torch.testing.assert_close(table, DeviceCandidates(0.1)(maps, HEIGHT)[0])
    assert all(given is level for given, level in zip(rest, neck, strict=True))
