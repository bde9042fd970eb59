"""DINOv3, DINOv2 and other vision transformers: the class token of a picture."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mot_dinov3.config import OPEN_DINO, EmbedderConfig
from mot_dinov3.errors import ModelError
from mot_dinov3.perception.features.base import Embedder, Placement
from mot_dinov3.perception.features.exports import Built, Pretrained, pretrained_embedder
from mot_dinov3.perception.features.pretrained import input_spec, load_model, model_type_of
from mot_dinov3.perception.hub.files import model_directory

if TYPE_CHECKING:
    import torch

CLASS_TOKENS = ("cls_token", "class_embedding")


def load_dino(config: EmbedderConfig, place: Placement) -> Embedder:
    """An embedder from any vision model that transformers' `AutoModel` loads.

    Args:
        config: `model_id` is a hub id, a local directory, or "demo" for the shipped model.
        place: where and how it runs.

    Raises:
        ModelError: the model cannot be found or loaded.
    """
    name = config.model_id
    directory = dino_directory(config)
    model = Pretrained(name, directory, "class token", lambda: _built(directory, name))
    return pretrained_embedder(model, config, place)


def _built(directory: Path, name: str) -> Built:
    from mot_dinov3.nets.pooled import PooledModel

    model_type_of(directory, name)
    model = load_model(directory, "AutoModel", name)
    pool = class_token if has_class_token(model) else pooled
    return PooledModel(model, pool), input_spec(directory, model.config, name)


def dino_directory(config: EmbedderConfig) -> Path:
    """Where the model is, fetched if need be.

    Raises:
        ModelError: it cannot be had.
    """
    if config.model_id == "demo":
        path: Path = import_module("mot_dinov3.perception.assets").demo_embedder_path()
        return path
    flag = "--embed-model" if config.embed_model else "--dinov3"
    return model_directory(config.model_id, f"--fallback-open, or {flag} {OPEN_DINO}")


def has_class_token(model: Any) -> bool:  # noqa: ANN401 - a torch module
    """Whether the first token of the model's output describes the whole picture."""
    return any(key.rpartition(".")[2] in CLASS_TOKENS for key, _ in model.named_parameters())


def class_token(output: Any) -> torch.Tensor:  # noqa: ANN401 - a transformers output
    """(B, 1 + tokens, D) hidden states -> (B, D), the class token."""
    token: torch.Tensor = output.last_hidden_state[:, 0]
    return token


def pooled(output: Any) -> torch.Tensor:  # noqa: ANN401 - a transformers output
    """The model's own summary of a picture, (B, D, ...) -> (B, D); convolutional nets have one.

    Raises:
        ModelError: the model offers none.
    """
    summary = getattr(output, "pooler_output", None)
    if summary is None:
        raise ModelError(
            "The model has neither a class token nor a pooled output to describe a picture with.",
            fix=f"Choose another --embed-model, such as {OPEN_DINO}.",
        )
    vectors: torch.Tensor = summary.flatten(1)
    return vectors
