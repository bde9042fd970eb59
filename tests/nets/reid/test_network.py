from __future__ import annotations

import pytest
import torch
from torch import nn

from helpers.tiny_backbone import TABLE_ROW, TinyBackbone
from mot_dinov3.errors import UnknownNameError
from mot_dinov3.nets.reid.factory import BACKBONES, build_network
from mot_dinov3.nets.reid.network import ReidNetwork


@pytest.mark.parametrize(("dim", "length"), [(0, 32), (48, 48)])
def test_vectors_are_as_long_as_the_maps_are_deep_or_as_asked_for(dim, length):
    network = ReidNetwork(TinyBackbone(), dim).eval()
    vectors = network(torch.randn(3, 3, 64, 32))
    assert vectors.shape == (3, length)
    assert network.dim == length


def test_the_neck_changes_nothing_at_first_and_never_shifts():
    network = ReidNetwork(TinyBackbone()).eval()
    found = network.describe(torch.randn(3, 3, 64, 32))
    torch.testing.assert_close(found.pooled, found.vectors)
    assert not network.neck.bias.requires_grad
    network.train().describe(torch.randn(3, 3, 64, 32))
    found = network.eval().describe(torch.randn(3, 3, 64, 32))
    assert not torch.allclose(found.pooled, found.vectors)


def test_a_projected_network_answers_before_its_neck():
    network = ReidNetwork(TinyBackbone(), 48).train()
    network.describe(torch.randn(8, 3, 64, 32))
    found = network.eval().describe(torch.randn(3, 3, 64, 32))
    assert torch.equal(found.vectors, found.pooled)
    assert not torch.allclose(found.vectors, found.necked)


def test_a_network_with_a_power_of_one_averages_its_map():
    network = ReidNetwork(TinyBackbone(), power=1.0).eval()
    pixels = torch.randn(2, 3, 64, 32)
    mean = network.backbone(pixels).mean((2, 3))
    torch.testing.assert_close(network.describe(pixels).pooled, mean, atol=1e-5, rtol=1e-5)


def test_the_table_builds_networks_and_says_which_names_it_knows(monkeypatch):
    monkeypatch.setitem(BACKBONES.table, "tiny", TABLE_ROW)
    assert build_network("tiny").pool.p.item() == 3
    projected = build_network("osnet_x0_25")
    assert (projected.dim, projected.pool.p.item()) == (512, 1)
    assert isinstance(projected.project[0], nn.Linear)
    with pytest.raises(UnknownNameError, match="osnet"):
        build_network("osnet")
