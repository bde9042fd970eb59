"""The table of associations."""

from __future__ import annotations

from typing import cast

from mot_dinov3.config import AssociationConfig, TrackerConfig
from mot_dinov3.registry import Registry
from mot_dinov3.tracking.association.base import Associator

ASSOCIATIONS = Registry(
    "association",
    {
        "cascade": (
            "mot_dinov3.tracking.association.cascade:CascadeAssociation",
            "place and appearance in stages, from sure pairs to doubtful ones",
        )
    },
)


def create_associator(
    config: AssociationConfig, lives: TrackerConfig, name: str = "cascade"
) -> Associator:
    """Build the association called `name`; `lives` tells how long lost tracks matter."""
    return cast("Associator", ASSOCIATIONS.load(name)(config, lives))
