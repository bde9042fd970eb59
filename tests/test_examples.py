"""Python code in the documentation does what its page says."""

from __future__ import annotations

import ast
import re
import sys
import types

import cv2
import numpy as np
import pytest

from helpers.jobs import make_scene
from helpers.places import ASSETS, ROOT
from mot_dinov3.commands import main
from mot_dinov3.errors import EXIT_OK
from mot_dinov3.io.formats.mot import read_mot
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
    assert module.result.frame_index == 2
    assert len(module.seen) == 2
    assert module.done.exit_code == EXIT_OK
    assert module.logged == module.done.facts.detections == 0  # nothing moves for long enough
    assert "'missing.mp4' does not exist" in capsys.readouterr().out


STREET_FRAMES = 60
STAND_INS = {
    'det="yolov8n.pt"': 'det="demo", imgsz=320',  # the detector in the package, for drawn people
    "VideoCapture(0)": 'VideoCapture("video.mp4")',
    '("rtsp://door", "rtsp://yard")': '("video.mp4", "./video.mp4")',
    'YOLO("yolov8n.pt")': f"YOLO({str(ASSETS / 'weights' / 'yolov8n_deq.pt')!r})",
}
"""What a recipe names -> what a machine without a camera and a network has in its place."""
RECIPES_PAGE = "guide/recipes.md"


def read_recipes():
    """Heading of a recipe -> its code."""
    text = (ROOT / "docs" / RECIPES_PAGE).read_text(encoding="utf-8")
    return dict(re.findall(r"^## (.+?)\n.*?^```python\n(.*?)^```$", text, re.S | re.M))


@pytest.fixture(scope="module")
def street(tmp_path_factory):
    """A folder with a drawn street as `video.mp4`, and its true boxes as `boxes.csv`."""
    folder = tmp_path_factory.mktemp("street")
    words = ["--preset", "street", "--out", str(folder), "--frames", str(STREET_FRAMES), "-q"]
    assert main(["synth", *words]) == EXIT_OK
    (video,) = (folder / "street").glob("*.mp4")
    video.rename(folder / "video.mp4")
    truth = read_mot(folder / "street" / "gt" / "gt.txt")
    rows = np.column_stack([truth.frame_index, truth.xyxy, np.ones(len(truth.frame_index))])
    np.savetxt(folder / "boxes.csv", rows, delimiter=",", fmt="%.2f")
    return folder


@pytest.fixture
def run_recipe(street, run_code, monkeypatch):
    """Runs the recipe under a heading, and returns its names."""
    pages = []
    monkeypatch.chdir(street)
    monkeypatch.setattr(cv2, "imshow", lambda name, image: pages.append(image))
    monkeypatch.setattr(cv2, "waitKey", lambda ms: ord("q") if len(pages) == 12 else -1)

    def run_recipe(heading):
        code = read_recipes()[heading]
        for name, instead in STAND_INS.items():
            code = code.replace(name, instead)
        return run_code("recipe", code)

    return run_recipe


def test_every_recipe_is_tried_and_every_stand_in_is_needed():
    recipes = read_recipes()
    tried = {name.removeprefix("test_recipe_") for name in globals() if "test_recipe_" in name}
    assert {heading.lower().replace(" ", "_") for heading in recipes} == tried
    assert all(any(name in code for code in recipes.values()) for name in STAND_INS)


def test_recipe_count_with_supervision(run_recipe):
    pytest.importorskip("supervision")
    line = run_recipe("Count with supervision").line
    assert line.in_count + line.out_count > 0


def test_recipe_save_to_pandas(run_recipe, street):
    pytest.importorskip("pandas")
    module = run_recipe("Save to pandas")
    assert module.table["frame"].max() == STREET_FRAMES - 1
    assert module.table["id"].nunique() == len(module.stays) > 3
    header, *rows = (street / "tracks.csv").read_text().splitlines()
    assert header.startswith("frame,time_s,id,class_id,class,")
    assert len(rows) == len(module.table)


def test_recipe_your_own_detector(run_recipe):
    module = run_recipe("Your own detector")
    assert module.tracker.confirmed > 3
    assert module.result.frame_index == STREET_FRAMES - 1
    assert module.result.names == {0: "moving"}


@pytest.mark.skipif(not ASSETS.is_dir(), reason="the shared test assets are not here")
def test_recipe_ultralytics(run_recipe):
    result = run_recipe("Ultralytics").result
    assert result.frame_index == STREET_FRAMES - 1
    assert result.names[0] == "person"
    assert result.image.shape == (432, 768, 3)


def test_recipe_your_own_embedder(run_recipe):
    module = run_recipe("Your own embedder")
    assert len(module.result) > 3
    assert module.result.embeddings.fresh.all()
    assert module.result.embed.computed == 0


def test_recipe_a_webcam_loop(run_recipe):
    module = run_recipe("A webcam loop")
    assert module.result.frame_index == 11
    assert len(module.result) > 3


def test_recipe_several_cameras(run_recipe):
    counts = run_recipe("Several cameras").counts
    assert set(counts) == {"video.mp4", "./video.mp4"}
    assert counts["video.mp4"] == counts["./video.mp4"] > 0


def test_recipe_boxes_from_a_file(run_recipe, capsys):
    module = run_recipe("Boxes from a file")
    assert module.tracker.confirmed > 3
    frame, number, *corners = capsys.readouterr().out.splitlines()[-1].split()
    assert (int(frame), float(number) > 0, len(corners)) == (STREET_FRAMES - 1, True, 4)


def test_recipe_in_a_notebook(run_recipe, capsys):
    module = run_recipe("In a notebook")
    assert "50/50" in capsys.readouterr().err
    assert module.result._repr_png_().startswith(b"\x89PNG")


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
