"""Runs one property for a number of examples, all from one seed."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import wraps
from traceback import extract_tb
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from mot_dinov3.lab.selftest.properties.base import Check
from mot_dinov3.lab.selftest.properties.factory import PROPERTIES

MOST_WORDS = 1500
STEPS = 20
"""Most frames in a life of a state machine."""
PHASES = Phase.generate, Phase.shrink
LEAST_SHARE = 0.9
"""Part of the examples that must have run: a strategy without ideas checks little."""


class Count:
    """How often something was called."""

    def __init__(self) -> None:
        self.number = 0

    def count_calls(self, function: Callable[..., None]) -> Callable[..., None]:
        """Wrap the function so that its calls are counted."""

        @wraps(function)
        def counted(*args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - whatever it takes
            self.number += 1
            function(*args, **kwargs)

        return counted


def try_examples(name: str, examples: int, number: int) -> str:
    """Try a property on `examples` inputs of seed `number`; the smallest that breaks it, or "".

    Numbers that overflow or turn into NaN on the way break it too.
    """
    chosen = settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        print_blob=False,
        report_multiple_bugs=False,
        phases=PHASES,
        suppress_health_check=list(HealthCheck),
    )
    count = Count()
    try:
        warnings.simplefilter("error", RuntimeWarning)
        checked = PROPERTIES.load(name)
        if isinstance(checked, type):
            _run_machine(checked, chosen, number, count)
        else:
            counted = count.count_calls(checked.check)
            tried: Check = given(*checked.inputs)(counted)  # type: ignore[no-untyped-call]
            seeded: Check = seed(number)(chosen(tried))
            seeded()
    except Exception as error:
        # Whatever escapes is what is looked for; hypothesis adds the example as a note.
        place = extract_tb(error.__traceback__)[-1].line
        words = [f"{type(error).__name__} at '{place}': {error}", *getattr(error, "__notes__", ())]
        return " | ".join(" ".join(words).split("\n"))[:MOST_WORDS]
    enough = count.number >= LEAST_SHARE * examples
    return "" if enough else f"only {count.number} of {examples} examples could be invented"


def _run_machine(
    machine: type[RuleBasedStateMachine], chosen: settings, number: int, count: Count
) -> None:
    class Counted(machine):  # type: ignore[misc, valid-type]
        """The machine, whose lives are counted."""

        def __init__(self) -> None:
            super().__init__()
            count.number += 1

    run_state_machine_as_test(seed(number)(Counted), settings=chosen)
