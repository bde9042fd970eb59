"""Several processes learn together through `accelerate`; one learns without it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from helpers.fake_recipe import LineRecipe
from helpers.places import SOURCE
from mot_dinov3.errors import ModelError, UsageError
from mot_dinov3.io.checkpoint import load_checkpoint
from mot_dinov3.training import processes
from mot_dinov3.training.engine import train
from mot_dinov3.training.log import read_log
from mot_dinov3.training.settings import TrainingRun

PROGRAM = """
import json, sys
from helpers.fake_recipe import LineRecipe
from mot_dinov3.training.engine import train
from mot_dinov3.training.processes import are_launched, launch
from mot_dinov3.training.settings import TrainingRun

if not are_launched():
    launch(2, "cpu")
for out, supply, stop_at in json.loads(sys.argv[1]):
    recipe = LineRecipe(dropout=0.0, steps=12, supply=supply, seed=1)
    steps = []
    wants_stop = lambda: steps.append(0) or len(steps) == stop_at
    place = TrainingRun(out=out, device="cpu", resume=True)
    assert train(recipe, place, wants_stop=wants_stop).step == (stop_at or 12)
"""


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """What two processes learn, one run after the other; one is stopped, and resumed at the end.

    Starting them takes longer than all that they learn.
    """
    pytest.importorskip("accelerate", reason="the extra [train] is not installed")
    folder = tmp_path_factory.mktemp("two")
    program = folder / "program.py"
    program.write_text(PROGRAM)
    runs = ("two", "numbered", 0), ("parts", "stream", 7), ("whole", "stream", 0)
    jobs = [[str(folder / name), *rest] for name, *rest in (*runs, ("parts", "stream", 0))]
    paths = os.pathsep.join([str(SOURCE), str(SOURCE.parent / "tests")])
    done = subprocess.run(
        [sys.executable, str(program), json.dumps(jobs)],
        env=os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def weights_of(folder):
    return {k: float(v.squeeze()) for k, v in load_checkpoint(folder, "line").weights.items()}


@pytest.mark.slow
def test_two_processes_learn_what_one_learns_from_twice_the_batches(learned, tmp_path):
    two = learned / "two"
    plain = {"dropout": 0.0, "steps": 12, "seed": 1}
    for name, each in (("one", 2), ("half", 1)):
        place = TrainingRun(out=str(tmp_path / name), device="cpu")
        train(LineRecipe(accumulate=each, **plain), place)
    assert weights_of(two) == pytest.approx(weights_of(tmp_path / "one"), abs=1e-5)
    assert weights_of(two) != pytest.approx(weights_of(tmp_path / "half"), abs=1e-3)
    assert [e["step"] for e in read_log(two) if "loss" in e] == list(range(1, 13))


@pytest.mark.slow
def test_two_processes_that_were_stopped_go_on_as_if_they_had_not(learned):
    assert weights_of(learned / "parts") == weights_of(learned / "whole")


def test_one_process_never_imports_accelerate(tmp_path):
    code = (
        "import sys; from helpers.fake_recipe import LineRecipe\n"
        "from mot_dinov3.training.engine import train\n"
        "from mot_dinov3.training.settings import TrainingRun\n"
        f"train(LineRecipe(steps=2), TrainingRun(out={str(tmp_path / 'run')!r}, device='cpu'))\n"
        "print('accelerate' in sys.modules)"
    )
    paths = os.pathsep.join([str(SOURCE), str(SOURCE.parent / "tests")])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "False"


def test_without_accelerate_several_processes_are_refused(monkeypatch):
    monkeypatch.setattr(processes, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match="needs the package 'accelerate'") as caught:
        processes.launch(2, "cpu")
    assert ".[train]" in caught.value.fix


def test_more_processes_than_gpus_are_refused(monkeypatch):
    monkeypatch.setattr(processes, "require_accelerate", lambda: None)
    monkeypatch.setattr(processes.torch.cuda, "device_count", lambda: 1)
    with pytest.raises(UsageError, match="--processes 4 needs as many GPUs, and there are 1"):
        processes.launch(4, "cuda:0")


def test_a_run_of_two_processes_is_not_resumed_by_one(tmp_path):
    from mot_dinov3.training.folder import RunFolder

    place = TrainingRun(out=str(tmp_path), device="cpu")
    train(LineRecipe(steps=2), place)
    state = RunFolder(tmp_path).load_state()
    RunFolder(tmp_path).save_state({**state, "processes": state["processes"] * 2})
    with pytest.raises(ModelError, match="begun in 2 processes, not 1"):
        train(LineRecipe(steps=2), TrainingRun(out=str(tmp_path), device="cpu", resume=True))


def test_the_state_is_plain_enough_for_a_safe_reader(tmp_path):
    train(LineRecipe(steps=2, supply="stream"), TrainingRun(out=str(tmp_path), device="cpu"))
    kinds = set()

    def walk(value):
        kinds.add(type(value).__name__)
        for item in value.values() if isinstance(value, dict) else value:
            if isinstance(item, dict | list | tuple):
                walk(item)
            else:
                kinds.add(type(item).__name__)

    from mot_dinov3.training.folder import RunFolder

    walk(RunFolder(tmp_path).load_state())
    assert kinds <= {
        "dict",
        "list",
        "tuple",
        "OrderedDict",
        "Tensor",
        "int",
        "float",
        "str",
        "bool",
        "NoneType",
    }, json.dumps(sorted(kinds))
