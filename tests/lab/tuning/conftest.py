"""Room-wide fixtures: nothing here without optuna."""

from __future__ import annotations

import pytest

pytest.importorskip("optuna", reason="the extra [tune] is not installed")
