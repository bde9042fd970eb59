from __future__ import annotations

import json

import pytest

from mot_dinov3.commands import main
from mot_dinov3.lab.selftest import factory
from mot_dinov3.lab.selftest.base import Failure, MeasureResult


def good(bench):
    return MeasureResult(
        asked=bench.count_cases(20), done=bench.count_cases(20), passed=bench.count_cases(20)
    )


def bad(bench):
    return MeasureResult(asked=2, done=2, passed=1, failures=[Failure("007", "the file was lost")])


def absent(bench):
    return MeasureResult(asked=0, skipped="no browser is installed")


@pytest.fixture(autouse=True)
def measures(monkeypatch):
    here = dict.fromkeys(("good", "bad", "absent"), ("", "everything holds"))
    made = {"good": good, "bad": bad, "absent": absent}
    monkeypatch.setattr(factory.MEASURES, "table", here)
    monkeypatch.setattr(factory, "create_measure", made.__getitem__)


def test_a_table_says_what_was_done_and_passed(capsys):
    assert main(["selftest", "good"]) == 0
    head, line, verdict = capsys.readouterr().out.splitlines()
    assert head.split() == ["measure", "done", "passed", "seconds", "bar"]
    assert line.split()[:3] == ["good", "2", "2"]
    assert line.endswith("met: everything holds")
    assert verdict == "1 of 1 bars met."


def test_full_runs_all_cases(capsys):
    assert main(["selftest", "good", "--full"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[:3] == ["good", "20", "20"]


def test_a_missed_bar_is_1_and_says_how_to_see_it_again(capsys, tmp_path):
    assert main(["selftest", "--seed", "5", "--json", str(tmp_path / "s.json")]) == 1
    out = capsys.readouterr().out
    assert "NOT MET, 2 asked for: everything holds" in out
    assert "  007: the file was lost\n    again: selftest bad --case 007 --seed 5\n" in out
    assert "skipped: no browser is installed" in out
    assert out.endswith("1 of 3 bars met; missed: bad; skipped: absent.\n")
    document = json.loads((tmp_path / "s.json").read_text())
    assert document["seed"] == 5
    assert [line["met"] for line in document["measures"]] == [True, False, False]
    assert document["measures"][1]["failures"] == [{"case": "007", "why": "the file was lost"}]


def test_what_was_skipped_is_no_failure():
    assert main(["selftest", "absent"]) == 0


def test_the_list_names_every_bar(capsys):
    assert main(["selftest", "--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [
        "good",
        "bad",
        "absent",
    ]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("god",), "Did you mean good?"),
        (("--case", "007"), "--case is a case of one measure"),
        (("--seed", "-1"), "--seed must be 0 or more"),
        (("--quick", "--full"), "not allowed with"),
        (("--keep", "."), "is not an empty directory"),
    ],
)
def test_wrong_words_are_explained(words, says, capsys, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("precious")
    monkeypatch.chdir(tmp_path)
    assert main(["selftest", *words]) == 2
    assert says in capsys.readouterr().err
