"""Maps of strides 8 and 16, from networks of our own and from those of others."""

from __future__ import annotations

import pytest
import torch
import transformers as t

from mot_dinov3.errors import ModelError
from mot_dinov3.nets.reid.osnet import build_quarter
from mot_dinov3.nets.sot.backbones import SIZES, ConvMaps, ConvNextMaps, OsnetMaps

PIXELS = torch.randn(2, 3, 64, 96, generator=torch.Generator().manual_seed(1))


def create_convnext(sizes=(4, 8, 12, 16)):
    torch.manual_seed(0)
    config = t.DINOv3ConvNextConfig(
        hidden_sizes=list(sizes), depths=[1] * len(sizes), layer_scale_init_value=1.0
    )
    return t.DINOv3ConvNextModel(config).eval()


@pytest.mark.parametrize(
    "build",
    [
        lambda: ConvMaps(SIZES["tiny"]),
        lambda: OsnetMaps(build_quarter()),
        lambda: ConvNextMaps(create_convnext()),
    ],
    ids=["own", "osnet", "convnext"],
)
def test_maps_have_strides_8_and_16(build):
    backbone = build().eval()
    maps = backbone(PIXELS)
    assert maps.fine.shape == (2, backbone.channels[0], 8, 12)
    assert maps.coarse.shape == (2, backbone.channels[1], 4, 6)


def test_maps_of_a_convnext_are_those_of_its_stages():
    model = create_convnext()
    backbone = ConvNextMaps(model)
    with torch.no_grad():
        maps = backbone(PIXELS)
        states = model(pixel_values=PIXELS, output_hidden_states=True).hidden_states
    by_stride = {PIXELS.shape[-1] // state.shape[-1]: state for state in states}
    for found, stride in ((maps.fine, 8), (maps.coarse, 16)):
        wanted = by_stride[stride]
        wanted = (wanted - wanted.mean(1, keepdim=True)) / wanted.std(1, keepdim=True, correction=0)
        assert torch.allclose(found, wanted, rtol=1e-2, atol=1e-2)
    kept = sum(p.numel() for p in backbone.parameters())
    assert kept < sum(p.numel() for p in model.parameters())
    assert backbone.list_given() == set(backbone.state_dict())


def test_a_convnext_of_two_stages_has_no_coarse_map():
    with pytest.raises(ModelError, match="2 stages"):
        ConvNextMaps(create_convnext((4, 8)))


def test_maps_of_an_osnet_are_those_inside_it():
    trunk = build_quarter().eval()
    with torch.no_grad():
        maps = OsnetMaps(trunk)(PIXELS)
        assert torch.allclose(trunk.conv5(maps.coarse), trunk(PIXELS), atol=1e-5)
