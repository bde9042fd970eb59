from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.perception.features.pooling import pool_boxes

RNG = np.random.default_rng(0)
MAP = RNG.standard_normal((5, 12, 20)).astype(np.float32)


@pytest.mark.parametrize("bins", [(1, 1), (4, 2), (3, 1)])
def test_inside_a_map_it_is_what_torchvision_does(bins):
    torch = pytest.importorskip("torch")
    ops = pytest.importorskip("torchvision.ops")
    corner = RNG.random((9, 2)) * [8, 4] + 1
    cells = np.concatenate((corner, corner + RNG.random((9, 2)) * 6 + 0.5), 1).astype(np.float32)
    theirs = ops.roi_align(
        torch.from_numpy(MAP)[None], [torch.from_numpy(cells)], bins, 1.0, 2, aligned=True
    )
    ours = pool_boxes(MAP, cells, bins).reshape(9, -1, 5).transpose(0, 2, 1)
    np.testing.assert_allclose(ours.reshape(9, -1), theirs.flatten(1).numpy(), atol=1e-5)


def test_bins_come_row_by_row():
    rows = np.broadcast_to(np.arange(8, dtype=np.float32)[None, :, None], (1, 8, 8))
    halves = pool_boxes(np.ascontiguousarray(rows), np.array([[0, 0, 8, 8]], np.float32), (2, 1))
    assert halves[0].tolist() == pytest.approx([1.5, 5.5], abs=0.1)


def test_what_lies_outside_is_as_the_border():
    cells = np.array([[-30, -30, -20, -20], [90, 90, 95, 99]], np.float32)
    first, last = pool_boxes(MAP, cells, (1, 1))
    np.testing.assert_allclose(first, MAP[:, 0, 0], rtol=1e-5)
    np.testing.assert_allclose(last, MAP[:, -1, -1], rtol=1e-5)


def test_no_boxes_have_no_rows():
    assert pool_boxes(MAP, np.empty((0, 4), np.float32), (4, 2)).shape == (0, 40)
