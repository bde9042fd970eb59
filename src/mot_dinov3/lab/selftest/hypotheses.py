"""Properties that hold for any input, tried on a hundred thousand inputs."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec

from mot_dinov3.lab.selftest.base import MeasureContext, MeasureResult
from mot_dinov3.lab.selftest.properties.factory import PROPERTIES
from mot_dinov3.lab.selftest.trials import TrialLimits, run_trials

EXAMPLES = 100_000
AT_ONCE = 250
"""Examples of one property in one trial."""

PATIENCE = TrialLimits(seconds=900.0)
"""Hypothesis looks for minutes for the smallest example that fails."""


def measure_properties(context: MeasureContext) -> MeasureResult:
    """Try all properties in turn; a case is a number, and stands for `AT_ONCE` examples."""
    if find_spec("hypothesis") is None:
        return MeasureResult(EXAMPLES, skipped="hypothesis is not installed")
    outcome = run_trials(context, EXAMPLES // AT_ONCE, try_property, limits=PATIENCE)
    counted = {name: AT_ONCE * getattr(outcome, name) for name in ("asked", "done", "passed")}
    return replace(outcome, **counted)


def try_property(number: int, seed: int) -> str:
    """Try one property on `AT_ONCE` examples; what broke it, "" for nothing."""
    from mot_dinov3.lab.selftest.properties.runner import try_examples

    names = list(PROPERTIES)
    name = names[number % len(names)]
    problem = try_examples(name, AT_ONCE, seed * EXAMPLES + number)
    return f"{name}: {problem}" if problem else ""
