"""The policies that a replay can play: those of the product, and the oracle."""

from __future__ import annotations

from mot_dinov3.registry import Registry
from mot_dinov3.scheduling.policies.factory import POLICIES

ORACLE = "oracle"

REPLAY_POLICIES = Registry(
    "policy",
    {
        **POLICIES.table,
        ORACLE: (
            "mot_dinov3.lab.recordings.oracle:OraclePolicy",
            "the best choice in hindsight, for recordings with ground truth: oracle[:K]",
        ),
    },
)
"""The policies of the product, and the one that needs the truth of a recording."""
