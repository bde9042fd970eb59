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
    config: AssociationConfig, tracker: TrackerConfig, name: str = "cascade"
) -> Associator:
    """Build the association called `name`.

    Args:
        config: gates and costs.
        tracker: tells how long lost tracks matter.
        name: a row of the table.

    Raises:
        UnknownNameError: there is no such association; the message says which there are.
    """
    return cast("Associator", ASSOCIATIONS.load(name)(config, tracker))
