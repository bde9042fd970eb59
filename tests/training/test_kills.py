"""A run that is killed by SIGKILL and resumed ends with the very weights of one that was not."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from helpers.places import SOURCE
from mot_dinov3.io.checkpoint import load_checkpoint
from mot_dinov3.training.log import read_log

PROGRAM = """
import json, os, signal, sys
sys.path[:0] = json.loads(sys.argv[1])
import torch
torch.set_num_threads(1)
from helpers.fake_recipe import LineRecipe
from mot_dinov3.io import checkpoint
from mot_dinov3.training import engine, folder, learner
from mot_dinov3.training.settings import TrainingRun

RECIPE = LineRecipe(supply="stream", evaluate_every=10, log_every=3)


def die(*arguments, **options):
    os.kill(os.getpid(), signal.SIGKILL)


def die_at_step(number):
    return lambda moment: die() if moment.step == number else None


def in_a_process(work):
    pid = os.fork()
    if pid == 0:
        work()
        os._exit(0)
    return os.waitpid(pid, 0)[1]


def run(out, watch=engine.ignore, prepare=lambda: None):
    def work():
        prepare()
        engine.train(RECIPE, TrainingRun(out=out, resume=True, device="cpu"), watch)
    return in_a_process(work)


def while_writing_a_state():
    folder.publish = die


def while_replacing_a_checkpoint():
    checkpoint._replace = die


def between_two_names():
    from pathlib import Path
    rename = Path.rename
    Path.rename = lambda path, new: (rename(path, new), die() if ".replaced" in new.name else None)


def forget_all_but_weights():
    def load(self, state):
        self.model.load_state_dict(state["model"])
        self._average.load_state_dict(state["average"])
        self.step = state["step"]
    learner.Learner.load_state_dict = load


root = sys.argv[2]
engine.train(RECIPE, TrainingRun(out=f"{root}/imports", device="cpu"))  # once for all processes
codes = {"whole": [run(f"{root}/whole")]}
for number in (1, 5, 13, 39):
    name = f"step {number}"
    codes[name] = [run(f"{root}/{name}", die_at_step(number)), run(f"{root}/{name}")]
name = "again and again"
codes[name] = [*(run(f"{root}/{name}", die_at_step(n)) for n in (3, 8, 16, 33)),
               run(f"{root}/{name}")]
for prepare in (while_writing_a_state, while_replacing_a_checkpoint, between_two_names):
    name = prepare.__name__
    codes[name] = [run(f"{root}/{name}", die_at_step(12)),
                   run(f"{root}/{name}", prepare=prepare), run(f"{root}/{name}")]
codes["control"] = [run(f"{root}/control", die_at_step(13)),
                    run(f"{root}/control", prepare=forget_all_but_weights)]
print(json.dumps(codes))
"""
CASES = (
    "step 1",
    "step 5",
    "step 13",
    "step 39",
    "again and again",
    "while_writing_a_state",
    "while_replacing_a_checkpoint",
    "between_two_names",
)


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """The folder of all runs, and how each process of each run ended."""
    root = tmp_path_factory.mktemp("runs")
    paths = json.dumps([str(SOURCE), str(SOURCE.parent / "tests")])
    command = [sys.executable, "-c", PROGRAM, paths, str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return root, json.loads(done.stdout.splitlines()[-1])


def weights_of(folder, name):
    return load_checkpoint(folder / name, "line").weights


def differ(one, other):
    return any(not np.array_equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize("case", CASES)
def test_a_killed_run_ends_with_the_weights_of_the_whole_one(killed, case):
    root, codes = killed
    *killers, last = codes[case]
    assert set(killers) == {9}
    assert last == 0
    for name in ("best", "last"):
        assert not differ(weights_of(root / "whole", name), weights_of(root / case, name))
    logs = [[{**e, "seconds": 0} for e in read_log(root / run)] for run in ("whole", case)]
    assert logs[0] == logs[1]
    assert not list((root / case).glob("*.partial*"))


def test_control_weights_alone_do_not_end_where_the_whole_run_does(killed):
    root, codes = killed
    assert codes["control"] == [9, 0]
    assert differ(weights_of(root / "whole", "last"), weights_of(root / "control", "last"))
