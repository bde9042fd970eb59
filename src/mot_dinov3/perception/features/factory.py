"""The table of embedding backends; a new one is one file and one line here."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from mot_dinov3.config import DINOS, NECK, OPEN_DINO, EmbedderConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.perception.hub.problems import (
    GatedModelError,
    OfflineModelError,
    UnsupportedModelError,
)
from mot_dinov3.registry import Registry

if TYPE_CHECKING:
    from mot_dinov3.perception.features.base import Embedder, Placement

logger = logging.getLogger("mot_dinov3")

EMBEDDERS = Registry(
    "embedder",
    {
        "dino": (
            "mot_dinov3.perception.features.dino:load_dino",
            "CLS token of a DINOv3 or DINOv2 model",
        ),
        "clip": (
            "mot_dinov3.perception.features.clip:load_clip",
            "image embedding of a CLIP model",
        ),
        "resnet": (
            "mot_dinov3.perception.features.resnet:load_resnet",
            "pooled features of a ResNet",
        ),
        "onnx": (
            "mot_dinov3.perception.features.onnx:load_onnx",
            "a re-identification model in ONNX format",
        ),
        "dense": (
            "mot_dinov3.perception.features.dense:load_dense",
            "DINO tokens of the whole picture, pooled inside each box",
        ),
        NECK: (
            "mot_dinov3.perception.features.neck:load_neck",
            "the detector's own feature maps, pooled inside each box",
        ),
    },
)
"""Every entry is called with (config, placement), and says that it returns an `Embedder`."""


def create_embedder(config: EmbedderConfig, place: Placement) -> Embedder:
    """Build the backend that `config.embedder` names, weights loaded and run once.

    With `config.fallback_open` a DINO model that is gated, not known to the installed
    transformers, or out of reach gives way to an open one; one warning says so and the
    embedder's `title` names the model that really runs.

    Args:
        config: which backend, which model, and how to crop.
        place: where and how it runs, and beside whom.

    Raises:
        UnknownNameError: no such backend.
        ModelError: the model cannot be found or loaded.
        DeviceError: the model does not fit on the device.
        UsageError: the flags do not go together, or `detector` has no features to give.
    """
    build = EMBEDDERS.load(config.embedder)
    if config.embed_model == "demo" and config.embedder not in (*DINOS, NECK):
        raise UsageError(
            f"--embed-model demo is a DINO model, not one for --embedder {config.embedder}.",
            fix="Leave out --embedder, or name another --embed-model.",
        )
    try:
        return cast("Embedder", build(config, place))
    except (GatedModelError, UnsupportedModelError, OfflineModelError) as error:
        if not config.fallback_open or config.embedder not in DINOS or config.model_id == OPEN_DINO:
            raise
        return _open_embedder(config, place, error)


def _open_embedder(config: EmbedderConfig, place: Placement, reason: Exception) -> Embedder:
    build = EMBEDDERS.load(config.embedder)
    try:
        embedder = cast("Embedder", build(replace(config, embed_model=OPEN_DINO), place))
    except OfflineModelError:
        raise reason from None
    what = getattr(reason, "what", str(reason))
    logger.warning("%s Using the open model %s instead (--fallback-open).", what, OPEN_DINO)
    return embedder
