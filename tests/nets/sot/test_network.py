"""The template decides where the network looks; without fusion it does not."""

from __future__ import annotations

import pytest
import torch

from mot_dinov3.nets.maps.convolutions import ConvMaps
from mot_dinov3.nets.sot.network import FusionShape, SotNetwork


def create_network(**changes):
    torch.manual_seed(0)
    shape = FusionShape(dim=16, layers=2, heads=2, fused=changes.pop("fused", True))
    return SotNetwork(ConvMaps(4), shape, **changes).eval()


def draw_inputs(count=3, templates=2):
    generator = torch.Generator().manual_seed(1)
    pixels = torch.randn(count, templates, 3, 32, 32, generator=generator)
    search = torch.randn(count, 3, 64, 64, generator=generator)
    return pixels, torch.tensor([0.2, 0.2, 0.8, 0.8]).expand(count, templates, 4), search


def find_gradient(network):
    pixels, boxes, search = draw_inputs()
    answer = network(pixels.requires_grad_(), boxes, search)
    total = answer.logits.sum() + answer.boxes.sum()
    return torch.autograd.grad(total, pixels, allow_unused=True)[0]


def test_every_template_reaches_the_answer():
    gradient = find_gradient(create_network())
    assert (gradient.abs().amax((2, 3, 4)) > 0).all()


def test_without_fusion_no_template_does():
    assert find_gradient(create_network(fused=False)) is None


def test_the_box_in_the_template_matters():
    network = create_network()
    pixels, boxes, search = draw_inputs()
    with torch.no_grad():
        one, other = (network(pixels, b, search).logits for b in (boxes, boxes / 2))
    assert not torch.allclose(one, other)


def test_answers_do_not_depend_on_the_rest_of_a_batch():
    network = create_network()
    inputs = draw_inputs()
    with torch.no_grad():
        whole = network(*inputs)
        parts = [network(*(one[row : row + 1] for one in inputs)) for row in range(3)]
    assert whole.logits.shape == (3, 8, 8)
    assert whole.boxes.shape == (3, 4, 8, 8)
    for name in ("logits", "boxes"):
        alone = torch.cat([getattr(part, name) for part in parts])
        assert torch.allclose(getattr(whole, name), alone, atol=1e-5)


@pytest.mark.parametrize("frozen", [False, True])
def test_a_frozen_backbone_neither_learns_nor_moves(frozen):
    network = create_network(frozen=frozen).train()
    before = network.backbone.stem[0].bn.running_mean.clone()
    network(*draw_inputs()).logits.sum().backward()
    same = torch.equal(network.backbone.stem[0].bn.running_mean, before)
    assert same == frozen
    assert all((p.grad is None) == frozen for p in network.backbone.parameters())
    assert network.head.layers[-1].weight.grad is not None
