"""ResNets as backbones: maps of three strides, and norms that stay as they are."""

from __future__ import annotations

import pytest
import torch

from mot_dinov3.nets.maps.residual import DEPTHS, ResNetMaps


@pytest.mark.parametrize("name", DEPTHS)
def test_maps_have_the_channels_and_strides_that_it_says(name):
    backbone = ResNetMaps(name).train()
    maps = backbone(torch.randn(1, 3, 64, 96))
    for one, channels, stride in zip(maps, backbone.channels, backbone.strides, strict=True):
        assert one.shape == (1, channels, 64 // stride, 96 // stride)
    assert not [key for key, _ in backbone.named_parameters() if "bn" in key]
