from __future__ import annotations

import pytest
import torch
from torch import nn

from helpers.tiny_backbone import TinyBackbone
from mot_dinov3.nets.reid.network import ReidNetwork
from mot_dinov3.nets.reid.statistics import LEAST_VARIANCE, restore_statistics


@pytest.fixture
def network():
    """A network whose norms merely scale and shift, as one from a merged file."""
    torch.manual_seed(0)
    out = ReidNetwork(TinyBackbone())
    for module in out.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.uniform_(module.bias, -1, 1)
    return out


def test_answers_stay_and_norms_get_the_moments_of_what_they_see(network):
    batches = [torch.randn(5, 3, 64, 32) + 1, torch.randn(2, 3, 64, 32)]
    before = network.eval()(batches[0])
    restore_statistics(network, batches)
    torch.testing.assert_close(network(batches[0]), before, atol=1e-4, rtol=1e-4)
    for index in (1, 4):
        norm = network.backbone.layers[index]
        seen = torch.cat([network.backbone.layers[:index](part) for part in batches])
        torch.testing.assert_close(norm.running_mean, seen.mean((0, 2, 3)), atol=1e-4, rtol=1e-4)
        moments = seen.var((0, 2, 3), correction=0)
        torch.testing.assert_close(norm.running_var, moments, atol=1e-4, rtol=1e-3)


def test_a_first_step_of_training_begins_from_what_evaluation_says(network):
    batch = torch.randn(64, 3, 64, 32)
    restore_statistics(network, [batch])
    norms = network.backbone.layers
    apart = (norms.train()(batch) - norms.eval()(batch)).abs().max()
    assert apart.item() < 1e-2


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_stays_and_no_hook_is_left(network, training):
    network.train(training)
    restore_statistics(network, [torch.zeros(2, 3, 16, 16)])
    assert network.training is training
    norm = network.backbone.layers[1]
    assert not norm._forward_pre_hooks
    assert float(norm.running_var.min()) == pytest.approx(LEAST_VARIANCE)
