"""Maps of vision models: they are what the models compute inside, one for each stride."""

from __future__ import annotations

import pytest
import torch
import transformers as t

from mot_dinov3.errors import ModelError
from mot_dinov3.nets.maps.pretrained import ConvNextMaps, VitMaps, lay_out, list_given

PIXELS = torch.randn(2, 3, 64, 96, generator=torch.Generator().manual_seed(1))


def create_convnext(sizes=(4, 8, 12, 16)):
    torch.manual_seed(0)
    config = t.DINOv3ConvNextConfig(
        hidden_sizes=list(sizes), depths=[1] * len(sizes), layer_scale_init_value=1.0
    )
    return t.DINOv3ConvNextModel(config).eval()


def create_vit(kind="DINOv3ViT", **more):
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 16, "patch_size": 16}
    config = getattr(t, f"{kind}Config")(num_hidden_layers=4, image_size=64, **sizes, **more)
    return getattr(t, f"{kind}Model")(config).eval()


@pytest.mark.parametrize(("stages", "strides"), [(3, (8, 16)), (4, (8, 16, 32))])
def test_maps_of_a_convnext_are_those_of_its_stages(stages, strides):
    model = create_convnext()
    backbone = ConvNextMaps(model, stages)
    with torch.no_grad():
        maps = backbone(PIXELS)
        states = model(pixel_values=PIXELS, output_hidden_states=True).hidden_states
    by_stride = {PIXELS.shape[-1] // state.shape[-1]: state for state in states}
    assert backbone.strides == strides
    for found, stride, channels in zip(maps, strides, backbone.channels, strict=True):
        wanted = by_stride[stride]
        wanted = (wanted - wanted.mean(1, keepdim=True)) / wanted.std(1, keepdim=True, correction=0)
        assert found.shape[1] == channels
        assert torch.allclose(found, wanted, rtol=1e-2, atol=1e-2)
    assert list_given(backbone) == set(backbone.state_dict())


def test_the_last_stage_is_not_kept_where_it_is_not_read():
    model = create_convnext()
    kept = sum(p.numel() for p in ConvNextMaps(model).parameters())
    assert kept < sum(p.numel() for p in model.parameters())


def test_a_convnext_of_two_stages_has_no_coarse_map():
    with pytest.raises(ModelError, match="2 stages"):
        ConvNextMaps(create_convnext((4, 8)))


@pytest.mark.parametrize(
    ("kind", "more"), [("DINOv3ViT", {"num_register_tokens": 4}), ("Dinov2", {})]
)
def test_maps_of_a_vit_are_its_patches_without_the_tokens_before_them(kind, more):
    model = create_vit(kind, **more)
    backbone = VitMaps(model, layers=2)
    with torch.no_grad():
        (maps,) = backbone(PIXELS)
        states = model(pixel_values=PIXELS, output_hidden_states=True).hidden_states
    assert maps.shape == (2, *backbone.channels, 4, 6)
    assert backbone.strides == (16,)
    for part, layer in enumerate((2, 4)):
        patch = states[layer][1, -24 + 6 * 2 + 3]  # of row 2, column 3
        wanted = torch.nn.functional.layer_norm(patch, patch.shape)
        assert torch.allclose(maps[1, 16 * part : 16 * part + 16, 2, 3], wanted, atol=1e-5)


def test_a_model_that_cannot_be_read_so_is_refused():
    with pytest.raises(ModelError, match="4 layers cannot be read at 5"):
        VitMaps(create_vit(), layers=5)
    with pytest.raises(ModelError, match="does not divide pictures"):
        VitMaps(create_convnext())
    with pytest.raises(ModelError, match="not with a token per patch"):
        lay_out(torch.zeros(1, 5, 8), [3, 2])
