"""Hostile surroundings can be made, and a program that does not survive them is noticed."""

from __future__ import annotations

import shutil
import sys

import pytest

from mot_dinov3.errors import EXIT_OK
from mot_dinov3.lab.selftest import hostile
from mot_dinov3.lab.selftest.base import MeasureContext
from mot_dinov3.lab.selftest.cases import BrokenPromiseError
from mot_dinov3.lab.selftest.hostile_inputs import HOSTILE_INPUTS, HostileInput
from mot_dinov3.lab.selftest.program import ProcessResult
from mot_dinov3.lab.selftest.scenes import draw_scene
from mot_dinov3.lab.selftest.traps import set_traps

INPUTS = {item.name: item for item in HOSTILE_INPUTS}


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    return draw_scene(tmp_path_factory.mktemp("scene"), 6)


def check(tmp_path, scene, code, item):
    """Run a Python program in the place of the command line."""
    context = MeasureContext(program=(sys.executable, "-c", code), directory=tmp_path)
    hostile.check_input(context, scene, item, tmp_path)


def test_names_are_unique_and_moments_have_others():
    assert len(INPUTS) == len(HOSTILE_INPUTS)
    assert not set(INPUTS) & set(hostile.MOMENTS)


@pytest.mark.parametrize("name", INPUTS)
def test_every_input_can_be_made(tmp_path, scene, name):
    with set_traps(tmp_path, scene.video) as placed:
        shutil.copy(scene.video, placed.secret.with_name("clip.mp4"))
        words = INPUTS[name].plant(tmp_path, placed)
    assert all(isinstance(word, str) for word in words)
    assert len(list(tmp_path.iterdir())) > 1 or name == "list-sparse"


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("raise SystemExit(3)", "exit code 3"),
        ("print('a\\x1b[2J')", "steers the terminal"),
        ("print('\\u202e')", "steers the terminal"),
        ("import os; open(os.path.join('secret', 'ran'), 'w')", "code in the file ran"),
    ],
)
def test_what_should_not_happen_is_noticed(tmp_path, scene, code, why):
    item = HostileInput("x", (EXIT_OK,), lambda *_: ())
    with pytest.raises(BrokenPromiseError, match=why):
        check(tmp_path, scene, code, item)


def test_a_calm_end_is_fine(tmp_path, scene):
    check(tmp_path, scene, "print('a b\\tc')", HostileInput("x", (EXIT_OK,), lambda *_: ()))


def test_a_bug_is_not_calm():
    with pytest.raises(BrokenPromiseError):
        hostile.expect_calm(ProcessResult(1, "", "error: KeyError: 1", 0.0))


def test_an_endless_network_is_one(tmp_path):
    pytest.importorskip("onnx")
    import onnx

    hostile.write_endless_network(tmp_path / "loop.onnx")
    onnx.checker.check_model(str(tmp_path / "loop.onnx"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["env-home", "picture-socket", "outputs-removed"])
def test_the_command_line_survives(tmp_path, name):
    from mot_dinov3.lab.benchmarks.own_program import build_own_command

    program = tuple(build_own_command())
    context = MeasureContext(program=program, directory=tmp_path, only=name)
    assert hostile.measure_hostile(context).met
