"""`train` as a user runs it: the list of recipes, a run, its end by a signal, and refusals."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from helpers.drawn_crops import draw_crops
from helpers.places import SOURCE
from helpers.tiny_backbone import TABLE_ROW
from mot_dinov3.commands import main
from mot_dinov3.commands.train import parser
from mot_dinov3.config.flat import kinds_of
from mot_dinov3.errors import EXIT_INPUT, EXIT_MODEL, EXIT_OK, EXIT_SIGINT, EXIT_SIGTERM, EXIT_USAGE
from mot_dinov3.io.checkpoint import load_checkpoint
from mot_dinov3.nets.reid.factory import BACKBONES
from mot_dinov3.training.log import read_log
from mot_dinov3.training.recipes.base import Recipe, Suite
from mot_dinov3.training.recipes.factory import RECIPES, recipe_class

FAKES = {
    "line": ("helpers.fake_recipe:LineRecipe", "a straight line"),
    "terminated": ("helpers.fake_recipe:Terminated", "a line that is told to end"),
    "interrupted": ("helpers.fake_recipe:Interrupted", "a line that is interrupted"),
    "two": ("helpers.fake_recipe:TwoLines", "two lines"),
}


@pytest.fixture(autouse=True)
def fakes(monkeypatch):
    monkeypatch.setattr(RECIPES, "table", {**RECIPES.table, **FAKES})


def test_alone_it_lists_the_recipes_with_their_lines(capsys):
    assert main(["train"]) == EXIT_OK
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "line a straight line" in lines
    assert f"demo {RECIPES.help('demo')}" in lines


def test_an_unknown_recipe_is_refused_in_one_sentence(capsys):
    assert main(["train", "lime"]) == EXIT_USAGE
    first, hint = capsys.readouterr().err.splitlines()
    assert first == "error: Unknown recipe 'lime'."
    assert "Did you mean line?" in hint


def test_the_help_of_a_recipe_shows_its_flags_with_its_own_defaults(capsys):
    with pytest.raises(SystemExit):
        main(["train", "line", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "--size N points in a batch (default: 8)" in text
    assert "--rate RATE highest learning rate (default: 0.1)" in text
    assert "--resume" in text


def test_a_recipe_trains_and_says_what_it_reached(tmp_path, capsys):
    out = tmp_path / "run"
    words = ["train", "line", "--out", str(out), "--steps", "60", "--size", "16"]
    assert main(words) == EXIT_OK
    said = capsys.readouterr()
    assert said.out.startswith("60 of 60 steps")
    assert "best at step 60: error" in said.out
    assert "step 60/60: square" in said.err
    config = load_checkpoint(out, "line").config
    assert (config.recipe["steps"], config.recipe["size"]) == (60, 16)


def test_a_run_goes_to_outputs_where_no_folder_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "line", "--steps", "2"]) == EXIT_OK
    assert (tmp_path / "outputs/train-line/best").is_dir()


@pytest.mark.parametrize(
    ("recipe", "code"), [("terminated", EXIT_SIGTERM), ("interrupted", EXIT_SIGINT)]
)
def test_a_signal_ends_the_run_after_its_step_and_it_can_go_on(tmp_path, capsys, recipe, code):
    out, whole = tmp_path / "run", tmp_path / "whole"
    assert main(["train", recipe, "--out", str(out), "--steps", "20"]) == code
    assert f"--resume (--out {out})" in capsys.readouterr().err
    assert load_checkpoint(out / "last", "line").metrics == {"step": 8}
    assert main(["train", recipe, "--out", str(out), "--steps", "20", "--resume"]) == EXIT_OK
    assert main(["train", "line", "--out", str(whole), "--steps", "20"]) == EXIT_OK
    for name, value in load_checkpoint(whole, "line").weights.items():
        assert np.array_equal(load_checkpoint(out, "line").weights[name], value)


def test_a_run_that_is_over_is_told_again_but_not_repeated(tmp_path, capsys):
    words = ["train", "line", "--out", str(tmp_path), "--steps", "5"]
    assert main(words) == EXIT_OK
    log = (tmp_path / "log.jsonl").read_text()
    assert main([*words, "--resume"]) == EXIT_OK
    assert capsys.readouterr().out.count("5 of 5 steps") == 2
    assert (tmp_path / "log.jsonl").read_text() == log


def test_the_folder_to_go_on_in_may_stand_behind_resume(tmp_path, capsys):
    out, words = str(tmp_path / "run"), ["train", "line", "--steps", "5"]
    assert main([*words, "--resume", out]) == EXIT_OK
    assert main([*words, "--resume", out, "--out", out]) == EXIT_OK
    assert capsys.readouterr().out.count(out) == 2
    assert main([*words, "--resume", out, "--out", str(tmp_path / "other")]) == EXIT_USAGE
    assert "name two folders" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_data_that_cannot_be_learned_from_leave_no_run_behind(tmp_path, capsys):
    out = tmp_path / "run"
    words = ["train", "reid", "--out", str(out), "--size", "64x32", "--data"]
    assert main([*words, str(tmp_path / "mistyped")]) == EXIT_INPUT
    assert not out.exists()
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    assert main([*words, str(tmp_path / "mistyped")]) == EXIT_INPUT
    assert [path.name for path in out.iterdir()] == ["notes.txt"]


def test_accelerate_is_what_the_precision_does_anyway():
    chosen = vars(parser().parse_args(["line", "--accelerate"]))
    assert chosen["amp"] == "auto"
    assert recipe_class("line")(amp=chosen["amp"]) == recipe_class("line")()
    assert "accelerate" not in chosen


def test_the_flags_of_the_first_training_script_are_read():
    script = (
        "reid --bs 32 --backbone cares18 --accelerate --renorm --epsilon -1.0 --margin 0.3 "
        "--center_lamda 0.0005 --instance 8 --continual --eps 0.5 --unlabeled crops"
    )
    chosen = vars(parser().parse_args(script.split()))
    kept = {name: chosen[name] for name in kinds_of(recipe_class("reid")) if name in chosen}
    recipe = recipe_class("reid")(**kept)
    assert (recipe.bs, recipe.backbone, recipe.renorm, recipe.epsilon) == (32, "cares18", True, -1)
    assert (recipe.margin, recipe.center_weight, recipe.instance) == (0.3, 5e-4, 8)
    assert (recipe.continual, recipe.eps) == (True, 0.5)
    ours = vars(parser().parse_args(["reid", "--center-weight", "0.02"]))
    assert vars(parser().parse_args(["reid", "--center_lamda", "0.02"])) == ours


@pytest.fixture
def finished(tmp_path, monkeypatch):
    """The folder of a run on drawn people, and words that adapt it to others."""
    monkeypatch.setitem(BACKBONES.table, "tiny", TABLE_ROW)
    people = draw_crops(tmp_path / "people", 4)
    others = draw_crops(tmp_path / "others", 6, first=10)
    out = tmp_path / "run"
    size = ["--backbone", "tiny", "--size", "64x32"]
    small = ["--bs", "8", "--steps", "4", "--device", "cpu"]
    words = ["train", "reid", *size, *small, "--data", str(people), "--out", str(out)]
    assert main(words) == EXIT_OK
    adapt = ["train", "reid", "--continual", "--resume", str(out), "--unlabeled", str(others)]
    return out, [*adapt, "--tracklets", *small]


def test_a_run_learns_on_without_labels_in_a_folder_of_its_own(finished, tmp_path, capsys):
    out, adapt = finished
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert main(adapt) == EXIT_OK
    beside = tmp_path / "run-continual"
    config = load_checkpoint(beside, "reid").config
    assert (config.recipe["backbone"], config.recipe["init"]) == ("tiny", str(out))
    assert config.sizes == {"height_px": 64, "width_px": 32}
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    log = (beside / "log.jsonl").read_bytes()
    assert main(adapt) == EXIT_OK  # the same words go on with it, and it is over
    assert (beside / "log.jsonl").read_bytes() == log
    capsys.readouterr()
    assert main([*adapt, "--eps", "0.4"]) == EXIT_USAGE
    assert "was begun with --eps 0.6" in capsys.readouterr().err
    assert main([*adapt, "--eps", "0.4", "--out", str(tmp_path / "named")]) == EXIT_OK
    assert (tmp_path / "named" / "best").is_dir()


def test_a_run_to_learn_on_from_must_be_there_and_is_the_only_start(finished, tmp_path, capsys):
    out, adapt = finished
    assert main([*adapt, "--init", "x.pth"]) == EXIT_USAGE
    assert "names other weights" in capsys.readouterr().err.replace("\n", " ")
    adapt[adapt.index(str(out))] = str(tmp_path / "nothing")
    assert main(adapt) == EXIT_MODEL
    assert "is not a checkpoint" in capsys.readouterr().err
    assert not (tmp_path / "nothing-continual").exists()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        pytest.param(["--steps", "0"], EXIT_USAGE, "--steps must be at least 1", id="steps"),
        pytest.param(["--nan-at", "3"], EXIT_MODEL, "the training diverged", id="diverged"),
        pytest.param(["--schedule", "x"], EXIT_USAGE, "invalid choice: 'x'", id="schedule"),
        pytest.param(["--device", "tpu"], EXIT_USAGE, "is not a device", id="device"),
        pytest.param(["--stpes", "3"], EXIT_USAGE, "--stpes", id="typo"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(tmp_path, capsys, words, code, said):
    assert main(["train", "line", "--out", str(tmp_path), *words]) == code
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error


@pytest.mark.slow
def test_a_suite_that_is_stopped_goes_on_and_is_measured_when_all_parts_are_over(tmp_path, capsys):
    words = ["train", "two", "--out", str(tmp_path), "--trouble", "stopped", "--device", "cpu"]
    code = main(words)
    part = load_checkpoint(tmp_path / "two" / "last", "line")
    assert part.metrics["step"] == 8
    assert code == EXIT_SIGTERM
    assert not (tmp_path / "measured.txt").exists()
    assert main([*words, "--resume"]) == EXIT_OK
    assert str(tmp_path / "measured.txt") in capsys.readouterr().out
    for name in ("one", "two"):
        assert load_checkpoint(tmp_path / name, "line").metrics["step"] == 30


@pytest.mark.slow
@pytest.mark.parametrize(
    ("trouble", "said"), [("diverges", "the training diverged"), ("killed", "was killed")]
)
def test_a_part_that_fails_is_told_in_a_sentence(tmp_path, capfd, trouble, said):
    words = ["--out", str(tmp_path), "--trouble", trouble, "--device", "cpu", "--steps", "30000"]
    assert main(["train", "two", *words]) == EXIT_MODEL
    error = capfd.readouterr().err
    assert said in error
    assert "Traceback" not in error
    assert 30000 not in [entry["step"] for entry in read_log(tmp_path / "one")]  # it ends, too


def test_a_suite_takes_no_further_processes(tmp_path, capsys):
    assert main(["train", "two", "--out", str(tmp_path), "--processes", "2"]) == EXIT_USAGE
    assert "--processes" in capsys.readouterr().err


@pytest.mark.parametrize("name", [name for name in RECIPES if name not in FAKES])
def test_the_flags_of_a_recipe_are_known_without_torch(name):
    module = RECIPES.table[name][0].partition(":")[0]
    code = f"import {module}, mot_dinov3.commands.train, sys; print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "False"
    assert issubclass(recipe_class(name), Recipe | Suite)
