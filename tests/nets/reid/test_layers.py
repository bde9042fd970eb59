from __future__ import annotations

import pytest
import torch

from mot_dinov3.nets.reid.layers import IBN, GeM, TripletAttention


@pytest.fixture
def maps():
    return torch.randn(2, 6, 5, 4, generator=torch.Generator().manual_seed(0))


def test_gem_is_the_formula(maps):
    maps = maps.abs()
    direct = torch.stack([(m**3).sum(dim=(1, 2)).div(20) ** (1 / 3) for m in maps])
    assert torch.allclose(GeM()(maps), direct, atol=1e-5)
    assert torch.allclose(GeM(p=1)(maps), maps.mean(dim=(2, 3)), atol=1e-5)
    assert torch.allclose(GeM(p=60)(maps), maps.amax(dim=(2, 3)), rtol=0.06)


@pytest.mark.parametrize(("factor", "p"), [(0, 3), (-1, 3), (1e2, 3), (0, 20)])
def test_gem_learns_from_any_map(maps, factor, p):
    pool, leaf = GeM(p).half(), (maps * factor).half().requires_grad_()
    pooled = pool(leaf)
    pooled.sum().backward()
    assert pooled.isfinite().all()
    assert pool.p.grad.isfinite().all()
    assert leaf.grad.isfinite().all()


def test_ibn_normalises_half_by_picture_and_half_by_batch(maps):
    out = IBN(6)(maps)
    first, rest = maps[:, :3], maps[:, 3:]
    for part, found, axes in ((first, out[:, :3], (2, 3)), (rest, out[:, 3:], (0, 2, 3))):
        var, mean = torch.var_mean(part, dim=axes, correction=0, keepdim=True)
        assert torch.allclose(found, (part - mean) / (var + 1e-5).sqrt(), atol=1e-5)


def test_triplet_attention_weighs_by_all_three_planes(maps):
    attention = TripletAttention().eval()
    c, h, w = (gate for gate in attention.gates)
    direct = torch.zeros_like(maps)
    for gate, order, back in (
        (c, (0, 1, 2, 3), (0, 1, 2, 3)),
        (h, (0, 2, 1, 3), (0, 2, 1, 3)),
        (w, (0, 3, 1, 2), (0, 2, 3, 1)),
    ):
        turned = maps.permute(order)
        pooled = torch.cat([turned.amax(1, keepdim=True), turned.mean(1, keepdim=True)], dim=1)
        direct += (turned * gate(pooled)).permute(back) / 3
    assert torch.allclose(attention(maps), direct, atol=1e-6)
    assert not torch.allclose(direct, maps, atol=0.1)
