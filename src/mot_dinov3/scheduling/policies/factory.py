"""The table of policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from mot_dinov3.config import SchedulerConfig
from mot_dinov3.registry import Registry

if TYPE_CHECKING:
    from mot_dinov3.scheduling.policies.base import Policy

POLICIES = Registry(
    "policy",
    {
        "value": (
            "mot_dinov3.scheduling.policies.value:ValuePolicy",
            "embed a crop if its worth reaches a price: value[:PRICE]",
        ),
        "continuity": (
            "mot_dinov3.scheduling.policies.continuity:ContinuityPolicy",
            "embed what is new or crowded, and refresh every N frames",
        ),
        "always": (
            "mot_dinov3.scheduling.policies.always:AlwaysPolicy",
            "embed every detection of at least --conf",
        ),
        "never": ("mot_dinov3.scheduling.policies.never:NeverPolicy", "embed nothing"),
        "interval": (
            "mot_dinov3.scheduling.policies.interval:IntervalPolicy",
            "embed in every Kth frame: interval[:K]",
        ),
        "fast-strongsort": (
            "mot_dinov3.scheduling.policies.fast_strongsort:FastStrongSortPolicy",
            "embed only where boxes overlap: fast-strongsort[:IOU]",
        ),
    },
)


def policy_class(name: str) -> type[Policy]:
    """The class of the policy called `name`.

    Raises:
        UnknownNameError: there is no such policy; the message says which there are.
    """
    return cast("type[Policy]", POLICIES.load(name))


def create_policy(config: SchedulerConfig, *, embedder: bool = True) -> Policy:
    """Build the policy that the configuration asks for, or `never` where there is no embedder.

    Args:
        config: names the policy.
        embedder: whether there is one; without it a wrong name is an error all the same.

    Raises:
        UnknownNameError: there is no such policy; the message says which there are.
        UsageError: the policy cannot work with what stands behind its colon.
    """
    name, argument = config.policy
    chosen = POLICIES.load(name)(config, argument)
    return cast("Policy", chosen if embedder else POLICIES.load("never")(config, ""))
