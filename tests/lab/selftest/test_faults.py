"""What the check of a fault refuses, with programs that are wrong in a known way."""

from __future__ import annotations

import signal
import sys
from collections import Counter
from pathlib import Path

import pytest

from mot_dinov3.lab.selftest.base import MeasureContext
from mot_dinov3.lab.selftest.cases import BrokenPromiseError
from mot_dinov3.lab.selftest.fault_cases.base import Fault, hide_package, lock, place_files
from mot_dinov3.lab.selftest.faults import KINDS, check_fault, list_faults, words_of
from mot_dinov3.lab.selftest.program import ProcessResult
from mot_dinov3.lab.selftest.scenes import SelftestScene
from mot_dinov3.lab.selftest.signals import expect_stopped

SCENE = SelftestScene(Path("/scene/clip.mp4"), Path("/scene/boxes.txt"), 30)
GOOD = "error: It broke.\n  Mend it.\n"


@pytest.fixture
def tried(tmp_path):
    """Run a fault with a program of one's own: what is wrong with it, "" for nothing."""

    def run(code, fault=None):
        directory = tmp_path / "case"
        directory.mkdir()
        bench = MeasureContext(program=(sys.executable, "-c", code), directory=tmp_path)
        try:
            check_fault(bench, SCENE, fault or Fault("f", "", 3, "It broke"), directory)
        except BrokenPromiseError as error:
            return str(error)
        return ""

    return run


def program(err=GOOD, code=3, more=""):
    return f"import sys; {more}\nsys.stderr.write({err!r}); sys.exit({code})"


def test_a_fault_that_is_explained_passes(tried):
    assert tried(program(err=f"warning: odd\n3 frames in 1.0 s\n{GOOD}")) == ""


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (program(code=1), "exit code 1 instead of 3"),
        (program(err="error: It broke.\n"), "no remedy"),
        (program(err="error: It broke\n  Mend it.\n"), "no sentence"),
        (program(err="error: It failed.\n  Mend it.\n"), "'It broke' is not in"),
        (program(err=GOOD + GOOD), "2 errors instead of one"),
        (program(err=f"Traceback (most recent call last)\n{GOOD}"), "a traceback is shown"),
        (program(more="open('o.mp4', 'w').write('x')"), "left ['o.mp4'] behind"),
    ],
)
def test_what_is_not_as_promised_is_named(tried, code, says):
    assert says in tried(code)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("", ""),
        ("open('old.mp4', 'w').write('new')", "'old.mp4' was changed or lost"),
        ("import os; os.remove('old.mp4')", "'old.mp4' was changed or lost"),
    ],
)
def test_nothing_that_was_there_may_change(tried, more, says):
    fault = Fault("f", "", 3, "It broke", place_files({"old.mp4": "old", "d/": ""}))
    found = tried(program(more=more), fault)
    assert says in found if says else found == ""


@pytest.mark.parametrize(("text", "says"), [("row", ""), ("", "is empty"), (None, "was not kept")])
def test_what_was_tracked_must_be_kept(tried, text, says):
    fault = Fault("f", "", 3, "It broke", leaves=("o.txt",))
    more = "" if text is None else f"open('o.txt', 'w').write({text!r})"
    found = tried(program(more=more), fault)
    assert says in found if says else found == ""


def test_a_package_can_be_taken_away(tried):
    hidden = Fault("f", "", 3, "It broke", hide_package("json"))
    more = "import importlib.util; assert importlib.util.find_spec('json') is None; import {}"
    assert "No module named 'json'" in tried(program(more=more.format("json")), hidden)


def test_another_package_stays(tried):
    hidden = Fault("f", "", 3, "It broke", hide_package("json"))
    assert tried(program(more="import csv"), hidden) == ""


def test_permissions_hold_even_for_root(tried):
    fault = Fault("f", "", 3, "It broke", lock("in.mp4", 0, place_files({"in.mp4": "x"})))
    try_it = "try: open('in.mp4'); forbidden = False\nexcept OSError: forbidden = True\n"
    assert tried(f"{try_it}assert forbidden\n{program()}", fault) == ""


def test_the_table_is_large_and_names_are_unique():
    names = Counter(fault.name for fault in list_faults())
    assert len(names) >= 60
    assert names.most_common(1)[0][1] == 1
    assert all(len(table) >= 6 for table in KINDS.values())


def test_words_name_the_scene():
    assert words_of(Fault("f", "{track} --conf 2", 2, ""), SCENE) == [
        "--source", "/scene/clip.mp4", "--det", "mot:/scene/boxes.txt",
        "--device", "cpu", "--embedder", "none", "--conf", "2",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "err", "says"),
    [
        (130, "error: Interrupted.\n", ""),
        (-signal.SIGINT, "", ""),
        (0, "", ""),
        (1, "error: KeyboardInterrupt\n", "exit code 1"),
        (143, "", "exit code 143"),
        (130, "Traceback (most recent call last)", "a traceback"),
    ],
)
def test_a_stopped_run_ends_in_one_of_the_known_ways(code, err, says):
    ended = ProcessResult(code, "", err, 0.0)
    if not says:
        expect_stopped(ended, signal.SIGINT)
        return
    with pytest.raises(BrokenPromiseError, match=says):
        expect_stopped(ended, signal.SIGINT)
