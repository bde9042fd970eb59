"""A ViT-S with random weights: as slow as the real model, and nothing to download."""

from __future__ import annotations

from pathlib import Path
from typing import Any

WIDTH, LAYERS, HEADS = 384, 12, 6
EDGE, PATCH = 224, 16
"""Model and input size of DINOv3 ViT-S/16 (Siméoni et al. 2025)."""

KINDS = ("dinov2", "dinov3")


def save_random_vits(directory: Path, kind: str) -> Path:
    """Save a random model of `kind` as the hub would hold it; returns its directory."""
    import torch

    from mot_dinov3.perception.pretrained import quiet_transformers

    torch.manual_seed(0)
    path = directory / f"random-{kind}-vits"
    with quiet_transformers():
        _model(kind).save_pretrained(path)
    return path


def _model(kind: str) -> Any:  # noqa: ANN401 - a torch module
    import transformers

    shape = {"hidden_size": WIDTH, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS}
    shape |= {"image_size": EDGE, "patch_size": PATCH}
    if kind == "dinov2":
        return transformers.Dinov2Model(transformers.Dinov2Config(**shape))
    config = transformers.DINOv3ViTConfig(
        **shape, intermediate_size=4 * WIDTH, num_register_tokens=4
    )
    return transformers.DINOv3ViTModel(config)
