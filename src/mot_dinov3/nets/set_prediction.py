"""Detectors that answer with a set of boxes (Carion et al. 2020, "DETR"), called in one way."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

COLOURS = 3


class SetPredictor(nn.Module):  # type: ignore[misc]  # torch is not typed here
    """A detector of transformers as a function of one tensor.

    Args:
        model: takes `pixel_values`, and `pixel_mask` where pictures have borders; its answer has
            `logits` and `pred_boxes`.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Find objects.

        Args:
            pixels: (B, 3, h, w) normalised pictures; a fourth plane is 1 where the picture is and
                0 on its border.

        Returns:
            (B, Q, K) class logits, and (B, Q, 4) cxcywh as shares of the input.
        """
        known: dict[str, Any] = {}
        if pixels.shape[1] > COLOURS:
            known["pixel_mask"] = (pixels[:, COLOURS] > 0).long()
        answer = self.model(pixel_values=pixels[:, :COLOURS], **known)
        return answer.logits, answer.pred_boxes
