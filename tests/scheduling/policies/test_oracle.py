from __future__ import annotations

import pytest

from mot_dinov3.config import SchedulerConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.scheduling.policies.factory import create_policy


def test_nobody_is_an_oracle_outside_a_replay():
    with pytest.raises(UsageError, match="which only a replay has"):
        create_policy(SchedulerConfig(embed_policy="oracle:3"))
