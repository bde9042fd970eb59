from __future__ import annotations

import copy

import pytest
import torch
import transformers as t

from mot_dinov3.errors import ModelError, UsageError
from mot_dinov3.nets.reid.lora import LoraLinear
from mot_dinov3.nets.reid.tokens import TokenBackbone

SMALL = {"num_hidden_layers": 2, "num_attention_heads": 2, "hidden_size": 16}
CONFIGS = {
    "dinov2": t.Dinov2Config(**SMALL, image_size=56, patch_size=14),
    "registers": t.Dinov2WithRegistersConfig(**SMALL, image_size=56, num_register_tokens=3),
    "dinov3": t.DINOv3ViTConfig(**SMALL, intermediate_size=32, num_register_tokens=4),
    "convnext": t.DINOv3ConvNextConfig(hidden_sizes=[4, 8, 12, 16], depths=[1, 1, 1, 1]),
}


@pytest.fixture(params=CONFIGS)
def model(request):
    torch.manual_seed(0)
    return t.AutoModel.from_config(CONFIGS[request.param])


@pytest.fixture
def pixels():
    return torch.randn(2, 3, 128, 64, generator=torch.Generator().manual_seed(1))


def test_tokens_become_a_map_and_nothing_moves(model, pixels):
    net = TokenBackbone(model).train()
    maps = net(pixels)
    assert maps.shape == (2, net.channels, 128 // net.patch, 64 // net.patch)
    tokens = model(pixel_values=pixels).last_hidden_state
    width = maps.shape[3]
    assert torch.equal(maps[0, :, 1, 1], tokens[0, len(tokens[0]) - maps[0, 0].numel() + width + 1])
    assert torch.equal(net(pixels), maps)
    assert net.training
    assert not any(p.requires_grad for p in net.parameters())


@pytest.mark.parametrize("model", ["dinov2", "registers", "dinov3"], indirect=True)
def test_lora_starts_at_the_frozen_model_and_merges(model, pixels):
    frozen = TokenBackbone(copy.deepcopy(model))(pixels)
    net = TokenBackbone(model, rank=2, alpha=4)
    assert torch.equal(net(pixels), frozen)
    learned = [p for p in net.parameters() if p.requires_grad]
    names = {name for name, p in net.named_parameters() if p.requires_grad}
    assert len(learned) == 2 * 2 * SMALL["num_hidden_layers"]
    optimiser = torch.optim.SGD(learned, lr=1)
    for _ in range(2):
        net(pixels).square().mul(torch.rand(frozen.shape)).sum().backward()
        optimiser.step()
    assert all(p.grad.abs().sum() > 0 for p in learned)
    stored = copy.deepcopy(net).requires_grad_(False)
    assert stored.state_dict().keys() - stored.list_frozen() == names
    moved = net(pixels)
    lora = next(part for part in net.modules() if isinstance(part, LoraLinear))
    x = torch.randn(3, 16)
    assert torch.allclose(lora(x), lora.base(x) + 2 * x @ lora.A.T @ lora.B.T, atol=1e-5)
    assert not torch.allclose(moved, frozen, atol=1e-3)
    assert torch.allclose(net.merge()(pixels), moved, atol=1e-4)
    assert not any(p.requires_grad for p in net.parameters())


def test_unfit_models_are_refused():
    with pytest.raises(UsageError, match="no attention"):
        TokenBackbone(t.AutoModel.from_config(CONFIGS["convnext"]), rank=2)
    with pytest.raises(ModelError, match="'resnet' model"):
        TokenBackbone(t.AutoModel.from_config(t.ResNetConfig(hidden_sizes=[4, 8], depths=[1, 1])))
