"""Crashes, hangs and hunger in a worker are results, and the next trial runs."""

from __future__ import annotations

import os
import signal
import time

import pytest

from mot_dinov3.lab.selftest.base import MeasureContext
from mot_dinov3.lab.selftest.trials import GIB, TrialLimits, run_trials

DEEDS = {
    3: lambda: os.kill(os.getpid(), signal.SIGSEGV),
    5: lambda: time.sleep(60),
    7: lambda: bytearray(8 * GIB),
    9: lambda: os._exit(9),
    11: lambda: 1 / 0,
}
EVILS = ("crashed: SIGSEGV", "hangs", "uncaught MemoryError", "crashed: exit code 9",
         "uncaught ZeroDivisionError: division by zero")  # fmt: skip


def trial(number, seed, word=""):
    DEEDS.get(number, int)()
    return f"{seed} {word}" if number == 13 else ""


@pytest.fixture
def bench(tmp_path):
    return MeasureContext(program=("false",), directory=tmp_path, seed=4, full=True)


def test_every_way_to_fail_is_told_with_the_number_of_its_trial(bench):
    outcome = run_trials(bench, 15, trial, ("said",), TrialLimits(seconds=1.5))
    assert (outcome.asked, outcome.done, outcome.passed) == (15, 15, 9)
    found = {int(failure.case): failure.why for failure in outcome.failures}
    assert list(found) == [*DEEDS, 13]
    for number, why in zip(DEEDS, EVILS, strict=True):
        assert found[number].startswith(why)
    assert found[13] == "4 said"


def test_one_trial_runs_again_by_its_number(tmp_path):
    again = MeasureContext(program=("false",), directory=tmp_path, seed=4, only="13")
    outcome = run_trials(again, 15, trial)
    assert [(failure.case, failure.why) for failure in outcome.failures] == [("13", "4 ")]
    wrong = run_trials(MeasureContext(program=(), directory=tmp_path, only="clip"), 15, trial)
    assert not wrong.met
    assert "'clip'" in wrong.skipped


def test_without_full_a_tenth_runs(tmp_path):
    outcome = run_trials(MeasureContext(program=(), directory=tmp_path), 20, trial)
    assert (outcome.asked, outcome.done, outcome.met) == (2, 2, True)
