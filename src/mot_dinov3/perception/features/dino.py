"""DINOv3, DINOv2 and other vision transformers: the class token of a picture."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mot_dinov3.config import OPEN_DINO, EmbedderConfig
from mot_dinov3.errors import ModelError
from mot_dinov3.perception import assets
from mot_dinov3.perception.features.base import Embedder, EmbedderKind, Placement
from mot_dinov3.perception.features.exports import Built, Pretrained, load_pretrained
from mot_dinov3.perception.hub.files import model_directory
from mot_dinov3.perception.hub.problems import (
    GatedModelError,
    OfflineModelError,
    UnsupportedModelError,
)
from mot_dinov3.perception.pretrained import input_spec, load_model, model_type_of

if TYPE_CHECKING:
    import torch

logger = logging.getLogger("mot_dinov3")

CLASS_TOKENS = ("cls_token", "class_embedding")


def load_dino(config: EmbedderConfig, place: Placement) -> Embedder:
    """Load any vision model that transformers' `AutoModel` loads.

    Args:
        config: the model is a hub id, a local directory, or "demo" for the shipped one; with
            `fallback_open` an open model takes its place where it cannot be had.
        place: where and how it runs.

    Raises:
        ModelError: the model cannot be found or loaded.
    """
    return load_or_open(_load_dino, config, place)


DINO = EmbedderKind(load_dino)


def _load_dino(name: str, config: EmbedderConfig, place: Placement) -> Embedder:
    directory = dino_directory(name, config)
    model = Pretrained(name, directory, "class token", lambda: _build(directory, name))
    return load_pretrained(model, config, place)


def _build(directory: Path, name: str) -> Built:
    from mot_dinov3.nets.pooled import PooledModel

    model_type_of(directory, name)
    model = load_model(directory, "AutoModel", name)
    pool = take_class_token if has_class_token(model) else take_pooled
    return PooledModel(model, pool), input_spec(directory, model.config, name)


def load_or_open(
    load: Callable[[str, EmbedderConfig, Placement], Embedder],
    config: EmbedderConfig,
    place: Placement,
) -> Embedder:
    """Load the DINO model of a configuration, or with `fallback_open` an open one.

    A model that is gated, not known to the installed transformers, or out of reach gives way; one
    warning says so, and the embedder's `title` names the model that really runs.

    Args:
        load: builds the embedder from the name of a model.
        config: the model, and whether it may give way.
        place: where and how it runs.

    Raises:
        ModelError: the model cannot be found or loaded, and neither can the open one.
    """
    name = config.embed_model or config.dinov3
    try:
        return load(name, config, place)
    except (GatedModelError, UnsupportedModelError, OfflineModelError) as error:
        if not config.fallback_open or name == OPEN_DINO:
            raise
        try:
            embedder = load(OPEN_DINO, config, place)
        except OfflineModelError:
            raise error from None
        logger.warning(
            "%s Using the open model %s instead (--fallback-open).", error.what, OPEN_DINO
        )
        return embedder


def dino_directory(name: str, config: EmbedderConfig) -> Path:
    """Where the model called `name` is, fetched if need be.

    Raises:
        ModelError: it cannot be had.
    """
    if name == assets.DEMO:
        return assets.demo_embedder_path()
    flag = "--embed-model" if config.embed_model else "--dinov3"
    return model_directory(name, f"--fallback-open, or {flag} {OPEN_DINO}")


def has_class_token(model: Any) -> bool:  # noqa: ANN401 - a torch module
    """Whether the first token of the model's output describes the whole picture."""
    return any(key.rpartition(".")[2] in CLASS_TOKENS for key, _ in model.named_parameters())


def take_class_token(output: Any) -> torch.Tensor:  # noqa: ANN401 - a transformers output
    """(B, 1 + tokens, D) hidden states -> (B, D), the class token."""
    token: torch.Tensor = output.last_hidden_state[:, 0]
    return token


def take_pooled(output: Any) -> torch.Tensor:  # noqa: ANN401 - a transformers output
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
