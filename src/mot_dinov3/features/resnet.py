"""ResNet: the average of the last feature map."""

from __future__ import annotations

from mot_dinov3.config import EmbedderConfig
from mot_dinov3.features.backbone import BackboneEmbedder
from mot_dinov3.features.dino import pooled
from mot_dinov3.features.pretrained import input_spec, load_typed_model
from mot_dinov3.hub.files import model_directory

DEFAULT_RESNET = "microsoft/resnet-50"


def load_resnet(config: EmbedderConfig, device: str) -> BackboneEmbedder:
    """An embedder from a ResNet; `config.embed_model` is a hub id or a local directory.

    Raises:
        ModelError: the model cannot be found or loaded, or is no ResNet.
    """
    name = config.embed_model or DEFAULT_RESNET
    directory = model_directory(name, f"--embedder resnet --embed-model {DEFAULT_RESNET}")
    model = load_typed_model(directory, "ResNetModel", ("resnet",), name)
    spec = input_spec(directory, model.config, name)
    return BackboneEmbedder(model, pooled, spec=spec, config=config, device=device, name=name)
