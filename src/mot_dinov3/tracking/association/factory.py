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


def create_associator(config: AssociationConfig, tracker: TrackerConfig) -> Associator:
    """Build the association that the configuration names.

    Args:
        config: the name, gates and costs.
        tracker: tells how long lost tracks matter.

    Raises:
        UnknownNameError: there is no such association; the message says which there are.
    """
    return cast("Associator", ASSOCIATIONS.load(config.association)(config, tracker))
