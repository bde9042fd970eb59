"""Python code in the documentation does what its page says."""

from __future__ import annotations

import ast
import re
import sys
import types

import pytest

from helpers.jobs import make_scene
from helpers.places import ROOT
from mot_dinov3.commands import main
from mot_dinov3.errors import EXIT_OK
from mot_dinov3.perception.detectors.factory import DETECTORS
from mot_dinov3.training.recipes.factory import RECIPES


def blocks_of(page, language="python"):
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.S | re.M)


@pytest.fixture
def run_code(monkeypatch):
    """Runs code as a module of that name, which dataclasses and the tables of members look up."""

    def run_code(name, code):
        module = types.ModuleType(name)
        monkeypatch.setitem(sys.modules, name, module)
        exec(compile(code, name, "exec"), module.__dict__)
        return module

    return run_code


@pytest.fixture
def video(tmp_path, monkeypatch):
    make_scene(tmp_path, frames=12)
    (tmp_path / "clip.mp4").rename(tmp_path / "video.mp4")
    monkeypatch.chdir(tmp_path)


def test_the_library_is_used_as_its_page_says(video, run_code, capsys):
    _, *offline = blocks_of("guide/python.md")  # the first one needs a downloaded model
    module = run_code("page_python", "\n".join(offline))
    assert module.done.exit_code == EXIT_OK
    assert module.boxes == module.done.facts.detections == 0  # nothing moves for long enough
    assert "'missing.mp4' does not exist" in capsys.readouterr().out


@pytest.fixture
def bright(run_code, monkeypatch):
    """The detector of the page, added by its file and its line."""
    code, tests = blocks_of("develop/adding.md")
    (row,) = blocks_of("develop/adding.md", "text")
    rows = ast.literal_eval("{" + row + "}")
    monkeypatch.setitem(DETECTORS.table, "bright", rows["bright"])
    run_code(rows["bright"][0].partition(":")[0], code)
    return run_code("test_bright", tests)


def test_the_tests_of_the_added_detector_pass(bright):
    bright.test_a_bright_area_is_found_where_it_is()
    bright.test_a_level_that_is_not_a_number_is_refused()


def test_the_added_detector_tracks_and_is_named_by_help(bright, video, capsys):
    words = ["--det", "bright:128", "--embedder", "none", "--cpu", "--no-video"]
    assert main(["--source", "video.mp4", *words, "--save-mot", "out.txt"]) == EXIT_OK
    with pytest.raises(SystemExit):
        main(["--help-all"])
    assert "areas brighter than a level" in capsys.readouterr().out


def test_the_recipe_of_the_page_learns(run_code, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(RECIPES.table, "line", ("page_recipe:LineRecipe", "a line"))
    module = run_code("page_recipe", "\n".join(blocks_of("guide/training.md")))
    assert module.result.best.values["error"] < 0.1
    assert main(["train", "line", "--points", "32", "--steps", "3"]) == 2, "the folder is taken"
    assert main(["train", "line", "--points", "32", "--steps", "3", "--out", "b"]) == EXIT_OK
    assert "3 of 3 steps" in capsys.readouterr().out
