"""One embedding of several pictures of one object."""

from __future__ import annotations

import torch
from torch import nn


class TemporalAttention(nn.Module):  # type: ignore[misc]
    """Mean of a clip's embeddings, weighted by what each is worth beside its neighbours.

    A projection, a convolution over time and a softmax give the weights (Gao and Nevatia,
    "Revisiting temporal modeling for video-based person ReID", 2018, section 3.3). The last
    convolution starts at zero, so the start is the plain mean.

    Args:
        dim: of an embedding.
        hidden: channels between the projection and the convolution.
    """

    def __init__(self, dim: int, hidden: int = 256) -> None:
        super().__init__()
        self.project = nn.Linear(dim, hidden)
        self.score = nn.Conv1d(hidden, 1, kernel_size=3, padding=1, bias=False)
        nn.init.zeros_(self.score.weight)

    def forward(self, clips: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Pool each clip over its frames.

        Args:
            clips: (B, T, D) embeddings.
            mask: (B, T) bool, False where a clip has no frame; a clip of no frame gives zeros.

        Returns:
            (B, D).
        """
        if mask is None:
            mask = torch.ones(clips.shape[:2], dtype=torch.bool, device=clips.device)
        clips = clips.masked_fill(~mask[..., None], 0)
        return (self.weigh(clips, mask)[..., None] * clips).sum(dim=1)

    def weigh(self, clips: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """(B, T) what each frame counts; see `forward`."""
        if mask is None:
            mask = torch.ones(clips.shape[:2], dtype=torch.bool, device=clips.device)
        hidden = self.project(clips).relu() * mask[..., None]
        scores = self.score(hidden.transpose(1, 2)).squeeze(1).float()
        return scores.masked_fill(~mask, torch.finfo(scores.dtype).min).softmax(dim=1)
