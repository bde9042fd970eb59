"""A self-supervised vision transformer of transformers as a backbone, frozen or with LoRA."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from mot_dinov3.errors import ModelError, UsageError
from mot_dinov3.nets.reid.lora import add_lora, list_lora, merge_lora

KINDS = ("dinov2", "dinov2_with_registers", "dinov3_vit", "dinov3_convnext")
"""Architectures of transformers whose answer is read here."""


class TokenBackbone(nn.Module):  # type: ignore[misc]
    """The patch tokens of a DINOv2 or DINOv3 model as a map, without class and register tokens.

    The model is always in evaluation mode: DINOv3 stretches its positions at random in training.

    Args:
        model: one of `KINDS`, loaded; its weights are frozen here.
        rank: of the LoRA that its attention learns; 0 learns nothing.
        alpha: weight of the LoRA.

    Attributes:
        channels: of the map.
        patch: pixels of a crop to one place of the map, in height and width.

    Raises:
        ModelError: the model is of another kind.
        UsageError: LoRA is asked for, but the model has no attention.
    """

    def __init__(self, model: nn.Module, rank: int = 0, alpha: float = 16.0) -> None:
        super().__init__()
        self.model = model.requires_grad_(False)
        self.channels, self.patch, self.skipped = _layout_of(model.config)
        if rank and not add_lora(self.model, rank, alpha):
            raise UsageError(
                f"A '{model.config.model_type}' model has no attention that LoRA could learn.",
                fix="Leave out :lora, or choose a vision transformer.",
            )
        self.train(self.training)

    def train(self, mode: bool = True) -> TokenBackbone:
        """Note the mode; the model stays in evaluation mode."""
        super().train(mode)
        self.model.eval()
        return self

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """(B, 3, H, W) normalised RGB -> (B, channels, H // patch, W // patch)."""
        tokens = self.model(pixel_values=pixels).last_hidden_state[:, self.skipped :]
        height, width = (edge // self.patch for edge in pixels.shape[-2:])
        return tokens.transpose(1, 2).unflatten(2, (height, width))

    def list_frozen(self) -> set[str]:
        """Names in `state_dict()` of the weights that the model came with, before `merge`."""
        learned = {f"model.{name}" for name in list_lora(self.model)}
        return set(self.state_dict()) - learned

    def merge(self) -> TokenBackbone:
        """Fold LoRA into the weights, as an export wants it."""
        merge_lora(self.model)
        return self


def _layout_of(config: Any) -> tuple[int, int, int]:  # noqa: ANN401 - a transformers config
    """Channels, pixels to a token, and tokens before the first patch, of a model's answer."""
    if config.model_type not in KINDS:
        raise ModelError(
            f"A '{config.model_type}' model cannot be a backbone.",
            fix=f"Give a model of one of these kinds: {', '.join(KINDS)}",
        )
    if hasattr(config, "patch_size"):
        return config.hidden_size, config.patch_size, 1 + getattr(config, "num_register_tokens", 0)
    sizes = config.hidden_sizes  # ConvNeXt: 4 pixels to a token, and each stage halves the map
    return sizes[-1], 2 ** (len(sizes) + 1), 1
