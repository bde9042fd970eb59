from __future__ import annotations

import numpy as np

from helpers.patches import array, draw, numbers
from mot_dinov3.perception.searchers.factory import create_searcher, searcher_kind


def test_it_believes_the_expectation_and_looks_at_nothing():
    searcher = create_searcher("predict", "cpu")
    expected = array((1, 2, 3, 4), (5, 6, 7, 8))
    searcher.show(draw(0, {}), numbers(1, 2), expected)
    searcher.forget(numbers(1, 2, 3))
    finds = searcher.renew().search(draw(1, {}), numbers(2, 1), expected)
    np.testing.assert_array_equal(finds.xyxy, expected)
    assert (finds.score >= searcher.sure).all()
    assert not searcher_kind("predict").needs_pixels
