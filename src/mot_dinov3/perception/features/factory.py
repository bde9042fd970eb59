"""The table of embedders; a new one is one file and one line here."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from mot_dinov3.config import NECK, SHARED, EmbedderConfig
from mot_dinov3.config.habits import EMBEDDERS as EMBEDDER_HABITS
from mot_dinov3.registry import Registry

if TYPE_CHECKING:
    from mot_dinov3.perception.features.base import Embedder, EmbedderKind, Placement

EMBEDDERS = Registry(
    "embedder",
    {
        "dino": (
            "mot_dinov3.perception.features.dino:DINO",
            "CLS token of a DINOv3 or DINOv2 model",
        ),
        "clip": (
            "mot_dinov3.perception.features.clip:CLIP",
            "image embedding of a CLIP model",
        ),
        "resnet": (
            "mot_dinov3.perception.features.resnet:RESNET",
            "pooled features of a ResNet",
        ),
        "onnx": (
            "mot_dinov3.perception.features.onnx:ONNX_FILE",
            "a re-identification model in ONNX format",
        ),
        "openvino": (
            "mot_dinov3.perception.features.openvino:OPENVINO_FILE",
            "a re-identification model in OpenVINO format",
        ),
        "reid": (
            "mot_dinov3.perception.features.reid:REID_RUN",
            "a network that `train reid` made, with its own gate",
        ),
        "dense": (
            "mot_dinov3.perception.features.dense:DENSE",
            "DINO tokens of the whole picture, pooled inside each box",
        ),
        NECK: (
            "mot_dinov3.perception.features.neck:DETECTOR_NECK",
            "the detector's own feature maps, pooled inside each box",
        ),
        SHARED: (
            "mot_dinov3.perception.features.shared:SHARED_BACKBONE",
            "the backbone's maps of --det detr, pooled inside each box; small boxes by a crop",
        ),
    },
    habits=EMBEDDER_HABITS,
)
"""Every entry is an `EmbedderKind`."""


def embedder_kind(name: str) -> EmbedderKind:
    """What is known of the embedder called `name` before it is loaded.

    Raises:
        UnknownNameError: no such embedder.
    """
    return cast("EmbedderKind", EMBEDDERS.load(name))


def create_embedder(config: EmbedderConfig, place: Placement) -> Embedder:
    """Build the embedder that `config.embedder` names, weights loaded and run once.

    Args:
        config: which embedder, which model, and how to crop.
        place: where and how it runs, and beside which detector.

    Raises:
        UnknownNameError: no such embedder.
        ModelError: the model cannot be found or loaded.
        DeviceError: the model does not fit on the device.
        UsageError: the flags do not go together, or the detector has no features to give.
    """
    return embedder_kind(config.embedder).load(config, place)
