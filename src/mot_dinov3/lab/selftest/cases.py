"""Runs the cases of a measure side by side and counts those that held."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TypeAlias

from mot_dinov3.lab.selftest.base import Failure, MeasureContext, MeasureResult

SAY_EVERY_S = 10.0


class BrokenPromiseError(AssertionError):
    """Something that was promised did not hold; says what, in one sentence."""


class CannotRunError(Exception):
    """This machine lacks what a case needs; says what."""


Check: TypeAlias = Callable[[Path], None]
"""Runs a case in an empty directory of its own; returns when everything held."""


@dataclass(frozen=True, slots=True)
class SelftestCase:
    """One way to break something.

    Attributes:
        name: unique within its measure, and a good name for a directory.
        check: raises `BrokenPromiseError` where a promise did not hold, `CannotRunError` where it
            cannot be tried.
    """

    name: str
    check: Check


def expect(holds: object, why: str) -> None:
    """Go on only when something `holds`.

    Raises:
        BrokenPromiseError: it does not; `why` says so.
    """
    if not holds:
        raise BrokenPromiseError(why)


def run_cases(context: MeasureContext, cases: Sequence[SelftestCase]) -> MeasureResult:
    """Run every case, or the one that was asked for; what a failed one wrote stays.

    A case that cannot run here is left out and named in the notes.
    """
    chosen = [case for case in cases if context.only in ("", case.name)]
    found: list[CannotRunError | Failure | None] = []
    said_s = perf_counter()
    with ThreadPoolExecutor(context.workers) as pool:
        for item in pool.map(partial(_attempt, context), chosen):
            found.append(item)
            if perf_counter() - said_s > SAY_EVERY_S:
                said_s = perf_counter()
                context.say(f"{len(found)} of {len(chosen)}")
    left_out = [item for item in found if isinstance(item, CannotRunError)]
    failures = [item for item in found if isinstance(item, Failure)]
    done = len(found) - len(left_out)
    notes = [f"left out: {item}" for item in left_out]
    if done == 0:
        return MeasureResult(len(chosen), skipped="; ".join(notes) or f"no case '{context.only}'")
    return MeasureResult(done, done, done - len(failures), failures, notes)


def _attempt(context: MeasureContext, case: SelftestCase) -> CannotRunError | Failure | None:
    directory = context.directory / case.name
    directory.mkdir(parents=True)
    try:
        case.check(directory)
    except CannotRunError as error:
        return CannotRunError(f"{case.name} ({error})")
    except BrokenPromiseError as error:
        why = str(error)
    except Exception as error:
        # A check that stumbles over what it finds has found something.
        why = f"{type(error).__name__}: {error}"
    else:
        shutil.rmtree(directory, ignore_errors=True)
        return None
    return Failure(case.name, why)
