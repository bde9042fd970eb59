"""A detector: frozen is frozen, padding changes nothing, the terms are the loss, it can learn."""

from __future__ import annotations

import pytest
import torch
import transformers as t

from mot_dinov3.nets.detr.heads import BUILDERS, DEFORMABLE, DETR, HeadShape
from mot_dinov3.nets.detr.network import DetrNetwork, spread
from mot_dinov3.nets.maps.convolutions import ConvMaps
from mot_dinov3.nets.maps.pretrained import VitMaps

LABELS = [
    {
        "class_labels": torch.tensor([0, 1]),
        "boxes": torch.tensor([[0.3, 0.4, 0.2, 0.3], [0.7] * 4]),
    },
    {"class_labels": torch.zeros(0, dtype=torch.long), "boxes": torch.zeros(0, 4)},
]


def build(kind=DEFORMABLE, backbone=None, **more):
    torch.manual_seed(0)
    shape = HeadShape(kind, 2, queries=12, dim=32, encoder_layers=1, decoder_layers=2)
    return DetrNetwork(backbone or ConvMaps(4), shape, **more)


def build_vit():
    torch.manual_seed(0)
    config = t.DINOv3ViTConfig(
        hidden_size=16, num_attention_heads=2, intermediate_size=16, num_hidden_layers=2
    )
    return VitMaps(t.DINOv3ViTModel(config))


@pytest.mark.parametrize("kind", BUILDERS)
def test_every_weight_of_a_head_learns_and_none_of_a_frozen_backbone(kind):
    network = build(kind).train()
    before = {name: value.clone() for name, value in network.backbone.state_dict().items()}
    pixels, mask = torch.randn(2, 3, 64, 96), torch.ones(2, 64, 96)
    terms = network.measure_loss(pixels, mask, LABELS)
    assert all(torch.isfinite(term) for term in terms.values())
    sum(terms.values()).backward()
    wanting = {n for n, p in network.head.named_parameters() if p.grad is None}
    assert not {name for name in wanting if "denoising" not in name}
    assert all(p.grad is None for p in network.backbone.parameters())
    after = network.backbone.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())


def test_frozen_is_frozen_while_the_head_learns():
    network = build(backbone=build_vit()).train()
    assert network.head.training
    pixels = torch.randn(1, 3, 64, 64)
    first, second = (network.look(pixels)[0] for _ in range(2))
    assert torch.equal(first, second)
    network.backbone.train()  # what a plain .train() does: positions move at random
    assert not torch.equal(network.look(pixels)[0], first)


def test_a_plain_detr_finds_the_same_in_maps_of_any_scale():
    network = build(DETR).eval()
    pixels = torch.zeros(1, 3, 64, 64)
    maps = torch.randn(1, 8, 8, 8), torch.randn(1, 16, 4, 4)
    with torch.no_grad():
        found, faint = (
            network.find(pixels, tuple(scale * one for one in maps)).boxes for scale in (1, 0.1)
        )
    assert torch.allclose(found, faint, atol=1e-3)


def test_a_backbone_that_learns_gets_a_gradient():
    network = build(frozen=False).train()
    sum(
        network.measure_loss(torch.randn(2, 3, 64, 96), torch.ones(2, 64, 96), LABELS).values()
    ).backward()
    assert all(p.grad is not None for p in network.backbone.parameters())


@pytest.mark.parametrize("kind", [DEFORMABLE, DETR])
def test_the_terms_add_up_to_the_loss_of_transformers(kind):
    network = build(kind).eval()
    pixels, mask = torch.randn(2, 3, 64, 96), torch.ones(2, 64, 96)
    with torch.no_grad():
        terms = network.measure_loss(pixels, mask, LABELS)
        whole = network._ask(pixels, mask, network.look(pixels), labels=LABELS).loss
    terms.pop("proposals", None)
    assert float(sum(terms.values())) == pytest.approx(float(whole), rel=1e-5)
    assert min(terms.values()) >= 0


def test_proposals_of_a_deformable_head_learn():
    network = build().train()
    pixels, mask = torch.randn(2, 3, 64, 96), torch.ones(2, 64, 96)
    optimizer = torch.optim.Adam(network.head.parameters(), lr=1e-2)
    said = []
    for _ in range(15):
        optimizer.zero_grad()
        term = network.measure_loss(pixels, mask, LABELS)["proposals"]
        term.backward()
        optimizer.step()
        said.append(float(term.detach()))
    assert said[-1] < 0.7 * said[0]


def test_a_border_beside_a_picture_changes_nothing():
    """The maps are given, as a convolution sees the border in its last column.

    Deformable heads differ a little: they normalise each map with its border.
    """
    network = build(DETR).eval()
    pixels, mask = torch.zeros(1, 3, 64, 64), torch.ones(1, 64, 64)
    maps = torch.randn(1, 8, 8, 8), torch.randn(1, 16, 4, 4)
    wide = tuple(torch.nn.functional.pad(one, (0, one.shape[-1])) for one in maps)
    with torch.no_grad():
        alone = network._ask(pixels, mask, maps).pred_boxes
        wide_mask = torch.nn.functional.pad(mask, (0, 64))
        beside = network._ask(torch.zeros(1, 3, 64, 128), wide_mask, wide).pred_boxes
    assert torch.allclose(alone.sort(1).values, beside.sort(1).values, atol=1e-4)


def test_probes_tell_backbones_apart():
    first, again, other = build(), build(), build(backbone=ConvMaps(8))
    assert torch.equal(first.probe(), again.probe())
    assert first.probe().shape != other.probe().shape
    with torch.no_grad():
        next(again.backbone.parameters()).mul_(1.2)
    assert (first.probe() - again.probe()).abs().max() > 1e-3


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_pyramid_has_three_maps_each_half_as_large(count):
    maps = tuple(torch.randn(1, 4, 16 >> n, 16 >> n) for n in range(count))
    sides = [one.shape[-1] for one in spread(maps)]
    assert sides == ([32, 16, 8] if count == 1 else [16, 8, 4])
