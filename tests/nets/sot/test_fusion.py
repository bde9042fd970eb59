"""What tells tokens apart, and that attention begins by comparing what they look like."""

from __future__ import annotations

import pytest
import torch

from mot_dinov3.nets.sot.fusion import Comparison, JointBlock, measure_foreground, place_tokens


def test_a_box_covers_tokens_by_their_share():
    boxes = torch.tensor([[0.25, 0.0, 0.75, 1.0], [0.0, 0.0, 0.25, 0.125], [-1.0, -1.0, 2.0, 2.0]])
    shares = measure_foreground(boxes, 2).reshape(3, 2, 2)
    assert torch.equal(shares[0], torch.full((2, 2), 0.5))
    assert shares[1].tolist() == [[0.125, 0.0], [0.0, 0.0]]
    assert torch.equal(shares[2], torch.ones(2, 2))
    assert measure_foreground(torch.tensor([[0.5, 0.0, 1.0, 0.5]]), 2)[0].tolist() == [0, 1, 0, 0]


def test_places_are_counted_from_the_middle():
    small, large = place_tokens(2, 16), place_tokens(4, 16)
    assert torch.allclose(small.reshape(2, 2, 16), large.reshape(4, 4, 16)[1:3, 1:3])
    assert len(torch.unique(large, dim=0)) == 16


def test_a_token_attends_to_those_like_it_before_anything_is_learned():
    torch.manual_seed(0)
    block = JointBlock(32, 4)
    token, other = torch.randn(2, 32)
    even = block.before(torch.stack([token, other, token])[None])
    queries, keys = block._split(block.queries(even)), block._split(block.keys(even))
    alike = torch.nn.functional.cosine_similarity(queries[0, :, 0], keys[0, :, 2], dim=-1)
    assert alike.tolist() == pytest.approx([1.0] * 4, abs=1e-5)
    assert block(torch.stack([token, other])[None]).shape == (1, 2, 32)


def test_a_comparison_is_highest_where_the_object_is():
    torch.manual_seed(0)
    compare = Comparison(8, 16, 1).eval()
    torch.nn.init.constant_(compare.spread.weight, 1.0)
    maps = torch.randn(2, 8, 4, 4)
    inside = torch.zeros(2, 16)
    inside[0, 5], inside[1, 10] = 0.6, 1.0  # how much of it is inside does not matter
    look = compare.describe(maps, inside)[:, 0]
    assert compare(maps, look).flatten(1).argmax(1).tolist() == [5, 10]
    assert torch.isfinite(compare(maps, compare.describe(maps, 0 * inside)[:, 0])).all()
