"""Optuna, imported when a search begins, and its kinds of ranges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mot_dinov3.errors import not_installed
from mot_dinov3.lab.tuning.space import Setting


def load_optuna() -> Any:  # noqa: ANN401 - a module that may be missing
    """Import optuna, silent but for errors.

    Raises:
        ModelError: it is not installed.
    """
    try:
        import optuna
    except ImportError as error:
        raise not_installed("optuna", "tune", "tune") from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def build_distributions(settings: Mapping[str, Setting]) -> dict[str, Any]:
    """Setting -> optuna's distribution of it."""
    return {key: _build_distribution(item) for key, item in settings.items()}


def _build_distribution(setting: Setting) -> Any:  # noqa: ANN401 - one of three classes of optuna
    kinds = load_optuna().distributions
    if setting.is_switch:
        return kinds.CategoricalDistribution((False, True))
    if not setting.digits:
        return kinds.IntDistribution(int(setting.low), int(setting.high))
    return kinds.FloatDistribution(setting.low, setting.high)
