"""CLIP's picture tower: the vector that it compares with text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mot_dinov3.config import EmbedderConfig
from mot_dinov3.perception.features.base import Embedder, EmbedderKind, Placement
from mot_dinov3.perception.features.exports import (
    Built,
    Pretrained,
    load_pretrained,
    resolve_model_name,
)
from mot_dinov3.perception.hub.files import model_directory
from mot_dinov3.perception.pretrained import input_spec, load_typed_model

if TYPE_CHECKING:
    import torch

DEFAULT_CLIP = "openai/clip-vit-base-patch32"


def load_clip(config: EmbedderConfig, place: Placement) -> Embedder:
    """Load a CLIP model; `config.embed_model` is a hub id or a local directory.

    Raises:
        ModelError: the model cannot be found or loaded, or is not a CLIP model.
    """
    name = resolve_model_name(config, DEFAULT_CLIP)
    directory = model_directory(name, f"--embedder clip --embed-model {DEFAULT_CLIP}")
    model = Pretrained(name, directory, "image embeds", lambda: _build(directory, name))
    return load_pretrained(model, config, place)


CLIP = EmbedderKind(load_clip)


def _build(directory: Path, name: str) -> Built:
    from mot_dinov3.nets.pooled import PooledModel

    kinds = ("clip", "clip_vision_model")
    model = load_typed_model(directory, "CLIPVisionModelWithProjection", kinds, name)
    return PooledModel(model, image_embeds), input_spec(directory, model.config, name)


def image_embeds(output: Any) -> torch.Tensor:  # noqa: ANN401 - a transformers output
    """(B, D) vectors in the space shared with text."""
    vectors: torch.Tensor = output.image_embeds
    return vectors
