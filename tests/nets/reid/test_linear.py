"""A head on known values: what it has learned is one matrix."""

from __future__ import annotations

import torch

from mot_dinov3.nets.reid.linear import LinearHead


def test_a_head_that_has_learned_is_one_matrix():
    torch.manual_seed(0)
    head = LinearHead(12, 5).train()
    for _ in range(3):
        head(torch.randn(16, 12) * 3 + 1)
    with torch.no_grad():
        head.neck.weight.mul_(torch.rand(5) + 0.5)
        head.neck.bias.add_(0.3)
    values = torch.randn(4, 12)
    matrix, offset = head.fold()
    with torch.no_grad():
        wanted = head.eval()(values)
    torch.testing.assert_close(values @ matrix + offset, wanted)


def test_values_without_any_spread_do_no_harm():
    head = LinearHead(3, 2).train()
    values = torch.randn(8, 3)
    values[:, 1] = 7.0
    assert torch.isfinite(head(values)).all()
    assert all(torch.isfinite(part).all() for part in head.fold())
