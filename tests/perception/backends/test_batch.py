from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.perception.backends.batch import FixedBatch, fill_batches


class Fours:
    """A network that takes four pictures and nothing else; answers with means and maxima."""

    title, precision, device = "test", "fp32", "cpu"

    def __init__(self):
        self.calls = 0

    def __call__(self, pixels):
        assert len(pixels) == 4
        self.calls += 1
        return pixels.mean(axis=(1, 2, 3)), pixels.max(axis=(2, 3))


@pytest.mark.parametrize(("pictures", "calls"), [(1, 1), (3, 1), (4, 1), (5, 2), (8, 2), (9, 3)])
def test_batches_are_filled_up_and_cut_again(pictures, calls):
    pixels = np.random.default_rng(0).random((pictures, 3, 8, 6), np.float32)
    network = Fours()
    means, maxima = fill_batches(network, 4)(pixels)
    np.testing.assert_allclose(means, pixels.mean(axis=(1, 2, 3)))
    np.testing.assert_array_equal(maxima, pixels.max(axis=(2, 3)))
    assert network.calls == calls


@pytest.mark.parametrize("size", [-1, 0, "batch", None])
def test_an_open_size_needs_nothing(size):
    network = Fours()
    assert fill_batches(network, size) is network


def test_it_is_called_as_the_network_is():
    filled = fill_batches(Fours(), 4)
    assert isinstance(filled, FixedBatch)
    assert (filled.title, filled.precision, filled.device) == ("test", "fp32", "cpu")
