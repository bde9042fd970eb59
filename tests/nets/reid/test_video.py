from __future__ import annotations

import torch

from mot_dinov3.nets.reid.video import TemporalAttention


def test_it_starts_as_the_mean_of_the_frames_there_are():
    pool, clips = TemporalAttention(6, hidden=4), torch.randn(3, 5, 6)
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [0, 0, 0, 0, 0]]).bool()
    clips[1, 2:] = torch.nan
    pooled = pool(clips, mask)
    assert torch.allclose(pooled[0], clips[0].mean(dim=0), atol=1e-6)
    assert torch.allclose(pooled[1], clips[1, :2].mean(dim=0), atol=1e-6)
    assert (pooled[2] == 0).all()
    assert torch.allclose(pool(clips[:1]), pooled[:1])


def test_it_learns_which_frames_count():
    torch.manual_seed(0)
    pool, clips = TemporalAttention(6, hidden=8), torch.randn(64, 5, 6)
    mask = torch.rand(64, 5) < 0.8
    mask[:, 0] = True
    cut = mask.clone()
    cut[:, 4] = False
    best = clips[..., 0].masked_fill(~mask, -9).argmax(dim=1)
    target = clips[range(64), best]
    optimiser = torch.optim.Adam(pool.parameters(), lr=0.05)
    losses = []
    for _ in range(60):
        loss = (pool(clips, mask) - target).square().mean()
        losses.append(loss.item())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert losses[-1] < losses[0] / 2
    assert torch.allclose(pool(clips[:8, :4], mask[:8, :4]), pool(clips[:8], cut[:8]), atol=1e-6)
    assert all(p.grad.abs().sum() > 0 for p in pool.parameters())
