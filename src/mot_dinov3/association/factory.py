"""The table of associations."""

from __future__ import annotations

from typing import cast

from mot_dinov3.association.base import Associator
from mot_dinov3.config import TrackerConfig
from mot_dinov3.registry import Registry

ASSOCIATIONS = Registry(
    "association",
    {"iou-cosine": "mot_dinov3.association.iou_cosine:IouCosineAssociation"},
)


def create_associator(config: TrackerConfig, name: str = "iou-cosine") -> Associator:
    """Build the association called `name`."""
    return cast("Associator", ASSOCIATIONS.load(name)(config))
