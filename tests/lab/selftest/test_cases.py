from __future__ import annotations

import pytest

from mot_dinov3.lab.selftest.base import Failure, MeasureContext, MeasureResult
from mot_dinov3.lab.selftest.cases import (
    BrokenPromiseError,
    CannotRunError,
    SelftestCase,
    expect,
    run_cases,
)


@pytest.fixture
def bench(tmp_path):
    return MeasureContext(program=("false",), directory=tmp_path)


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
    outcome = run_cases(bench, [SelftestCase("a", holds), SelftestCase("b", holds)])
    assert (outcome.asked, outcome.done, outcome.passed, outcome.met) == (2, 2, 2, True)
    assert not list(tmp_path.iterdir())


def test_a_broken_promise_is_named_and_its_files_stay(bench, tmp_path):
    outcome = run_cases(bench, [SelftestCase("a", holds), SelftestCase("b", breaks)])
    assert outcome.failures == [Failure("b", "the file was lost")]
    assert (outcome.done, outcome.passed, outcome.met) == (2, 1, False)
    assert (tmp_path / "b" / "evidence").read_text() == "kept"


def test_a_check_that_stumbles_has_found_something(bench):
    (failure,) = run_cases(bench, [SelftestCase("a", stumbles)]).failures
    assert failure.why == "FileNotFoundError: o.mp4"


def test_what_cannot_run_is_no_success(bench):
    outcome = run_cases(bench, [SelftestCase("a", holds), SelftestCase("b", cannot)])
    assert (outcome.asked, outcome.done, outcome.met) == (1, 1, True)
    assert outcome.notes == ["left out: b (no second processor)"]
    nothing = run_cases(bench, [SelftestCase("c", cannot)])
    assert not nothing.met
    assert "no second processor" in nothing.skipped


def test_one_case_runs_alone(tmp_path):
    bench = MeasureContext(program=(), directory=tmp_path, only="b")
    assert run_cases(bench, [SelftestCase("a", breaks), SelftestCase("b", holds)]).met
    assert run_cases(bench, [SelftestCase("a", breaks)]).skipped == "no case 'b'"


def test_too_few_cases_do_not_meet_a_bar():
    assert MeasureResult(asked=10, done=10, passed=10).met
    assert not MeasureResult(asked=10, done=9, passed=9).met
    assert not MeasureResult(asked=10, done=10, passed=9).met
    assert not MeasureResult(asked=0, skipped="no browser").met


def test_expect_says_why():
    expect(True, "never said")
    with pytest.raises(BrokenPromiseError, match="lost a line"):
        expect([], "lost a line")


def test_a_tenth_runs_unless_all_is_asked_for(tmp_path):
    quick = MeasureContext(program=(), directory=tmp_path)
    assert [quick.count_cases(n) for n in (200, 60, 11, 1)] == [20, 6, 2, 1]
    assert MeasureContext(program=(), directory=tmp_path, full=True).count_cases(200) == 200


def test_a_random_tenth_of_a_table_keeps_its_order(tmp_path):
    table = [f"case {number}" for number in range(100)]
    assert MeasureContext(program=(), directory=tmp_path, full=True).choose_cases(table) == table
    choose_cases, other = (
        MeasureContext(program=(), directory=tmp_path, seed=s).choose_cases(table) for s in (0, 1)
    )
    assert len(choose_cases) == 10
    assert choose_cases != other
    assert [table.index(case) for case in choose_cases] == sorted(
        table.index(case) for case in choose_cases
    )


def test_random_numbers_belong_to_the_case_and_the_seed(tmp_path):
    def draw(seed, case):
        return (
            MeasureContext(program=(), directory=tmp_path, seed=seed)
            .create_rng(case)
            .integers(1 << 30)
        )

    assert draw(0, "a") == draw(0, "a")
    assert len({draw(0, "a"), draw(0, "b"), draw(1, "a")}) == 3
