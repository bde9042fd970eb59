"""Proposals are where their place is, and rare before anything is learned."""

from __future__ import annotations

import torch

from mot_dinov3.nets.sot.head import RARE, CenterHead


def test_proposals_lie_in_their_places():
    torch.manual_seed(0)
    head = CenterHead(8).eval()
    answer = head(torch.randn(2, 8, 4, 4))
    centres = (answer.boxes[:, :2] + answer.boxes[:, 2:]) / 2 * 4
    assert torch.equal(centres[:, 0].floor(), torch.arange(4.0).expand(2, 4, 4))
    assert torch.equal(centres[:, 1].floor(), torch.arange(4.0)[:, None].expand(2, 4, 4))
    sizes = answer.boxes[:, 2:] - answer.boxes[:, :2]
    assert ((sizes > 0) & (sizes < 1)).all()


def test_a_new_head_believes_that_centres_are_rare():
    torch.manual_seed(0)
    answer = CenterHead(8).eval()(torch.zeros(1, 8, 4, 4))
    assert answer.logits.sigmoid().mean() < 2 * RARE
