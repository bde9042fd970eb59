from __future__ import annotations

import pytest

from mot_dinov3.lab.selftest.base import Bench, Failure, Outcome
from mot_dinov3.lab.selftest.cases import (
    BrokenPromiseError,
    CannotRunError,
    Case,
    expect,
    run_cases,
)


@pytest.fixture
def bench(tmp_path):
    return Bench(program=("false",), directory=tmp_path)


def holds(directory):
    (directory / "file").write_text("written")


def breaks(directory):
    (directory / "evidence").write_text("kept")
    raise BrokenPromiseError("the file was lost")


def stumbles(directory):
    raise FileNotFoundError("o.mp4")


def cannot(directory):
    raise CannotRunError("no second processor")


def test_cases_that_hold_are_counted_and_leave_nothing(bench, tmp_path):
    outcome = run_cases(bench, [Case("a", holds), Case("b", holds)])
    assert (outcome.asked, outcome.done, outcome.passed, outcome.met) == (2, 2, 2, True)
    assert not list(tmp_path.iterdir())


def test_a_broken_promise_is_named_and_its_files_stay(bench, tmp_path):
    outcome = run_cases(bench, [Case("a", holds), Case("b", breaks)])
    assert outcome.failures == [Failure("b", "the file was lost")]
    assert (outcome.done, outcome.passed, outcome.met) == (2, 1, False)
    assert (tmp_path / "b" / "evidence").read_text() == "kept"


def test_a_check_that_stumbles_has_found_something(bench):
    (failure,) = run_cases(bench, [Case("a", stumbles)]).failures
    assert failure.why == "FileNotFoundError: o.mp4"


def test_what_cannot_run_is_no_success(bench):
    outcome = run_cases(bench, [Case("a", holds), Case("b", cannot)])
    assert (outcome.asked, outcome.done, outcome.met) == (1, 1, True)
    assert outcome.notes == ["left out: b (no second processor)"]
    nothing = run_cases(bench, [Case("c", cannot)])
    assert not nothing.met
    assert "no second processor" in nothing.skipped


def test_one_case_runs_alone(tmp_path):
    bench = Bench(program=(), directory=tmp_path, only="b")
    assert run_cases(bench, [Case("a", breaks), Case("b", holds)]).met
    assert run_cases(bench, [Case("a", breaks)]).skipped == "no case 'b'"


def test_too_few_cases_do_not_meet_a_bar():
    assert Outcome(asked=10, done=10, passed=10).met
    assert not Outcome(asked=10, done=9, passed=9).met
    assert not Outcome(asked=10, done=10, passed=9).met
    assert not Outcome(asked=0, skipped="no browser").met


def test_expect_says_why():
    expect(True, "never said")
    with pytest.raises(BrokenPromiseError, match="lost a line"):
        expect([], "lost a line")


def test_a_tenth_runs_unless_all_is_asked_for(tmp_path):
    quick = Bench(program=(), directory=tmp_path)
    assert [quick.count(n) for n in (200, 60, 11, 1)] == [20, 6, 2, 1]
    assert Bench(program=(), directory=tmp_path, full=True).count(200) == 200


def test_a_random_tenth_of_a_table_keeps_its_order(tmp_path):
    table = [f"case {number}" for number in range(100)]
    assert Bench(program=(), directory=tmp_path, full=True).some(table) == table
    some, other = (Bench(program=(), directory=tmp_path, seed=s).some(table) for s in (0, 1))
    assert len(some) == 10
    assert some != other
    assert [table.index(case) for case in some] == sorted(table.index(case) for case in some)


def test_random_numbers_belong_to_the_case_and_the_seed(tmp_path):
    def draw(seed, case):
        return Bench(program=(), directory=tmp_path, seed=seed).rng(case).integers(1 << 30)

    assert draw(0, "a") == draw(0, "a")
    assert len({draw(0, "a"), draw(0, "b"), draw(1, "a")}) == 3
