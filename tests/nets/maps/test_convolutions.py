"""Maps of strides 8 and 16, from small networks of our own."""

from __future__ import annotations

import pytest
import torch

from mot_dinov3.nets.maps.convolutions import SIZES, ConvMaps, OsnetMaps
from mot_dinov3.nets.reid.osnet import build_quarter

PIXELS = torch.randn(2, 3, 64, 96, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    "build",
    [lambda: ConvMaps(SIZES["tiny"]), lambda: OsnetMaps(build_quarter())],
    ids=["own", "osnet"],
)
def test_maps_have_strides_8_and_16(build):
    backbone = build().eval()
    fine, coarse = backbone(PIXELS)
    assert fine.shape == (2, backbone.channels[0], 8, 12)
    assert coarse.shape == (2, backbone.channels[1], 4, 6)
    assert backbone.strides == (8, 16)


def test_maps_of_an_osnet_are_those_inside_it():
    trunk = build_quarter().eval()
    with torch.no_grad():
        _, coarse = OsnetMaps(trunk)(PIXELS)
        assert torch.allclose(trunk.conv5(coarse), trunk(PIXELS), atol=1e-5)
