"""ResNet: the average of the last feature map."""

from __future__ import annotations

from pathlib import Path

from mot_dinov3.config import EmbedderConfig
from mot_dinov3.perception.features.base import Embedder, EmbedderKind, Placement
from mot_dinov3.perception.features.dino import take_pooled
from mot_dinov3.perception.features.exports import (
    Built,
    Pretrained,
    load_pretrained,
    resolve_model_name,
)
from mot_dinov3.perception.hub.files import model_directory
from mot_dinov3.perception.pretrained import input_spec, load_typed_model

DEFAULT_RESNET = "microsoft/resnet-50"


def load_resnet(config: EmbedderConfig, place: Placement) -> Embedder:
    """Load a ResNet; `config.embed_model` is a hub id or a local directory.

    Raises:
        ModelError: the model cannot be found or loaded, or is not a ResNet.
    """
    name = resolve_model_name(config, DEFAULT_RESNET)
    directory = model_directory(name, f"--embedder resnet --embed-model {DEFAULT_RESNET}")
    model = Pretrained(name, directory, "pooled", lambda: _build(directory, name))
    return load_pretrained(model, config, place)


RESNET = EmbedderKind(load_resnet)


def _build(directory: Path, name: str) -> Built:
    from mot_dinov3.nets.pooled import PooledModel

    model = load_typed_model(directory, "ResNetModel", ("resnet",), name)
    return PooledModel(model, take_pooled), input_spec(directory, model.config, name)
