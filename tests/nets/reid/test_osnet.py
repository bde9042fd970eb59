from __future__ import annotations

import pytest
import torch

from mot_dinov3.nets.reid.network import ReidNetwork
from mot_dinov3.nets.reid.osnet import OmniScaleBlock, OSNet, build_quarter, build_whole


@pytest.mark.parametrize(("build", "channels"), [(build_quarter, 128), (build_whole, 512)])
def test_the_map_is_a_sixteenth_of_the_picture(build, channels):
    backbone = build().eval()
    with torch.no_grad():
        maps = backbone(torch.randn(2, 3, 64, 32))
    assert backbone.channels == channels
    assert maps.shape == (2, channels, 4, 2)
    assert float(maps.min()) >= 0


@pytest.mark.parametrize(("width", "millions"), [(0.25, 0.2), (1.0, 2.2)])
def test_it_has_as_many_parameters_as_the_paper_says(width, millions):
    network = ReidNetwork(OSNet(width), 512)
    count = sum(value.numel() for value in network.parameters())
    assert count / 1e6 == pytest.approx(millions, abs=0.05)


def test_streams_of_a_block_see_three_to_nine_pixels():
    block = OmniScaleBlock(64, 64).eval()
    seen = []
    for stream in (block.conv2a, block.conv2b, block.conv2c, block.conv2d):
        picture = torch.rand(1, 16, 21, 21, requires_grad=True)
        stream(picture)[0, :, 10, 10].sum().backward()
        rows = picture.grad.abs().sum((0, 1, 3)).nonzero()
        seen.append(int(rows.max() - rows.min()) + 1)
    assert seen == [3, 5, 7, 9]


def test_the_gate_is_one_for_all_streams():
    names = [name for name, _ in OmniScaleBlock(16, 64).named_parameters()]
    assert sum(name.startswith("gate.") for name in names) == 4
    assert sum("downsample" in name for name in names) == 3
