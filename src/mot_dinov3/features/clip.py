"""CLIP's picture tower: the vector that it compares with text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mot_dinov3.config import EmbedderConfig
from mot_dinov3.features.backbone import BackboneEmbedder
from mot_dinov3.features.pretrained import input_spec, load_typed_model
from mot_dinov3.hub.files import model_directory

if TYPE_CHECKING:
    import torch

DEFAULT_CLIP = "openai/clip-vit-base-patch32"


def load_clip(config: EmbedderConfig, device: str) -> BackboneEmbedder:
    """An embedder from a CLIP model; `config.embed_model` is a hub id or a local directory.

    Raises:
        ModelError: the model cannot be found or loaded, or is no CLIP model.
    """
    name = config.embed_model or DEFAULT_CLIP
    directory = model_directory(name, f"--embedder clip --embed-model {DEFAULT_CLIP}")
    kinds = ("clip", "clip_vision_model")
    model = load_typed_model(directory, "CLIPVisionModelWithProjection", kinds, name)
    spec = input_spec(directory, model.config, name)
    return BackboneEmbedder(model, image_embeds, spec=spec, config=config, device=device, name=name)


def image_embeds(output: Any) -> torch.Tensor:  # noqa: ANN401 - a transformers output
    """(B, D) vectors in the space shared with text."""
    vectors: torch.Tensor = output.image_embeds
    return vectors
