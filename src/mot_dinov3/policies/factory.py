"""The table of policies."""

from __future__ import annotations

from typing import cast

from mot_dinov3.config import SchedulerConfig
from mot_dinov3.policies.base import Policy
from mot_dinov3.registry import Registry

POLICIES = Registry(
    "policy",
    {
        "continuity": "mot_dinov3.policies.continuity:ContinuityPolicy",
        "always": "mot_dinov3.policies.always:AlwaysPolicy",
        "never": "mot_dinov3.policies.never:NeverPolicy",
    },
)


def create_policy(config: SchedulerConfig, *, embedder: bool = True) -> Policy:
    """The policy that the configuration asks for; `never` where there is no embedder."""
    name = "never" if not embedder else "always" if config.embed_all else "continuity"
    return cast("Policy", POLICIES.load(name)(config))
