"""Figures of a network that knows the answer, and of one that does not."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from mot_dinov3.nets.sot.head import Answer
from mot_dinov3.training.recipes.sot.examples import Batch
from mot_dinov3.training.recipes.sot.figures import Found, assess, choose_threshold


def create_batch():
    """Five objects; the brightness of a template says where its object is."""
    places = torch.arange(5) * 0.15
    boxes = torch.stack([places, places, places + 0.2, places + 0.2], dim=1)
    templates = (places * 255).round().to(torch.uint8).view(5, 1, 1, 1, 1).expand(5, 1, 16, 16, 3)
    boxes[4] = torch.nan
    return Batch(templates, torch.zeros(5, 1, 4), torch.zeros(5, 32, 32, 3).byte(), boxes)


class Knows(nn.Module):
    """Reads the place off the template."""

    def __init__(self, looks=True):
        super().__init__()
        self.looks = looks
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, templates, marks, search):
        blue = templates[:, 0, 2].mean((1, 2)) * 0.225 + 0.406
        if not self.looks:
            blue = blue.detach() * 0 + 0.15
        place = blue * self.weight
        boxes = torch.stack([place, place, place + 0.2, place + 0.2], dim=1)
        logits = torch.where(place > 0.55, -2.0, 2.0)
        return Answer(
            logits.view(-1, 1, 1).expand(-1, 4, 4), boxes[:, :, None, None].expand(-1, 4, 4, 4)
        )


def test_a_network_that_looks_is_told_from_one_that_does_not():
    with torch.no_grad():
        good, blind = (assess(Knows(looks), create_batch()) for looks in (True, False))
    assert good.values["success"] == 1
    assert good.values["iou"] == pytest.approx(1, abs=0.03)
    assert good.values["success_swapped"] == 0
    assert good.values["template_gradient"] > 0
    assert blind.values["success"] == 0.25
    assert blind.values["success_swapped"] == 0.25
    assert blind.values["template_gradient"] == 0
    assert good.merit > blind.merit


def test_the_threshold_parts_finds_from_mistakes():
    score = np.array([0.9, 0.8, 0.6, 0.4, 0.2], np.float32)
    iou = np.array([0.8, 0.7, 0.9, 0.1, 0.0], np.float32)
    there = np.array([True, True, True, True, False])
    assert choose_threshold(Found(iou, score, there)) == pytest.approx(0.6)
    assert choose_threshold(Found(iou * 0, score, there)) <= 0.95
