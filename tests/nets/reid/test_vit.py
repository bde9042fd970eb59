from __future__ import annotations

import pytest
import torch

from mot_dinov3.nets.reid.vit import vit_small


@pytest.mark.parametrize("size", [(256, 128), (64, 96)])
def test_any_size_in_whole_patches(size):
    net = vit_small()
    with torch.autocast("cpu", torch.bfloat16):
        maps = net(torch.randn(1, 3, *size))
    assert maps.shape == (1, net.channels, size[0] // 16, size[1] // 16)
    assert maps.isfinite().all()
    maps.float().square().mul(torch.rand(maps.shape)).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())


def test_positions_of_the_usual_size_are_used_as_they_are():
    net, seen = vit_small(), []
    net.blocks.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    pixels = torch.randn(1, 3, 256, 128)
    net(pixels)
    expected = net.patches(pixels) + net.positions
    assert torch.allclose(seen[0], expected.flatten(2).transpose(1, 2), atol=1e-6)
