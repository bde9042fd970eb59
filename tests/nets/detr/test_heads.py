"""Heads of transformers: their backbone is the one they are given, and learning can begin."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from mot_dinov3.nets.detr.heads import (
    BUILDERS,
    DEFORMABLE,
    DETR,
    RTDETR,
    GivenMaps,
    HeadShape,
    build_head,
)

CHANNELS = {RTDETR: [8, 8, 8]}


def build(kind, **changes):
    torch.manual_seed(0)
    sizes = {"queries": 12, "dim": 32, "encoder_layers": 1, "decoder_layers": 2} | changes
    return build_head(HeadShape(kind, classes=2, **sizes), CHANNELS.get(kind, [8, 8]))


@pytest.mark.parametrize("kind", BUILDERS)
def test_no_weight_of_a_head_belongs_to_a_backbone_of_its_own(kind):
    head = build(kind)
    assert isinstance(head.model.backbone, GivenMaps)
    assert not [name for name in head.state_dict() if "backbone" in name]


@pytest.mark.parametrize("kind", BUILDERS)
def test_the_given_maps_decide_the_answer(kind):
    head = build(kind).eval()
    pixels = torch.zeros(1, 3, 64, 96)
    answers = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        sizes = [(8, 12), (4, 6), (2, 3)][: len(CHANNELS.get(kind, [8, 8]))]
        head.model.backbone.maps = tuple(torch.randn(1, 8, *size) for size in sizes)
        with torch.no_grad():
            answers.append(head(pixel_values=pixels).logits)
    assert torch.equal(answers[0], answers[1])
    assert not torch.allclose(answers[0], answers[2], atol=1e-4)


def test_a_mask_follows_the_size_of_each_map():
    stub = GivenMaps([4, 4])
    stub.maps = torch.zeros(1, 4, 4, 8), torch.zeros(1, 4, 2, 4)
    mask = torch.ones(1, 32, 64)
    mask[:, :, 32:] = 0
    (_, fine), (_, coarse) = stub(torch.zeros(1, 3, 32, 64), mask)
    assert fine[0].sum() == 4 * 4
    assert coarse[0].sum() == 2 * 2


def test_a_focal_loss_begins_with_few_objects():
    head = build(DEFORMABLE)
    biases = torch.cat([layer.bias for layer in head.class_embed])
    assert torch.allclose(biases.sigmoid(), torch.tensor(0.01))


def test_signals_pass_the_norms_of_an_untrained_rtdetr():
    scales = [m.weight for m in build(RTDETR).modules() if isinstance(m, nn.BatchNorm2d)]
    assert scales
    assert all(torch.equal(scale, torch.ones_like(scale)) for scale in scales)


def test_queries_of_an_untrained_detr_give_different_boxes():
    """Transformers draws them so alike that they differ by 1e-7."""
    head = build(DETR, queries=40, dim=64).eval()
    head.model.backbone.maps = (torch.randn(1, 8, 8, 12),) * 2
    with torch.no_grad():
        boxes = head(pixel_values=torch.zeros(1, 3, 64, 96)).pred_boxes
    assert boxes.std(1).min() > 3e-3


def test_a_head_can_do_without_an_encoder():
    head = build("detr", encoder_layers=0).eval()
    head.model.backbone.maps = torch.randn(1, 8, 8, 12), torch.randn(1, 8, 4, 6)
    with torch.no_grad():
        assert head(pixel_values=torch.zeros(1, 3, 64, 96)).pred_boxes.shape == (1, 12, 4)
