"""The door of the library: few names, and nothing is loaded before it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import mot_dinov3
from helpers.places import SOURCE

HEAVY = {"torch", "torchvision", "transformers", "ultralytics", "openvino", "onnxruntime"}
OPTIONAL = {"supervision", "pandas", "matplotlib", "plotly"}


def modules_after(code):
    shown = f"{code}\nimport sys; print(' '.join(sys.modules))"
    run = subprocess.run(
        [sys.executable, "-c", shown],
        env={"PYTHONPATH": str(SOURCE)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(run.stdout.split())


def test_importing_the_package_loads_nothing_at_all():
    loaded = modules_after("import mot_dinov3; dir(mot_dinov3)")
    assert {name for name in loaded if name.startswith("mot_dinov3")} == {"mot_dinov3"}
    assert "numpy" not in loaded


def test_importing_the_library_loads_no_framework():
    code = "from mot_dinov3 import Models, Result, Tracker, track"
    assert not modules_after(code) & (HEAVY | OPTIONAL)


def test_tracking_boxes_by_motion_loads_no_framework():
    code = (
        "from mot_dinov3 import Tracker\n"
        "tracker = Tracker(embedder='none', fps=25)\n"
        "assert len(tracker.update([[10, 10, 50, 90, 0.9, 0]])) == 1"
    )
    assert not modules_after(code) & (HEAVY | OPTIONAL)


def test_the_names_are_listed_and_there():
    assert set(mot_dinov3.__all__) <= set(dir(mot_dinov3))
    for name in mot_dinov3.__all__:
        assert getattr(mot_dinov3, name).__name__ == name


def test_another_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Trakcer'"):
        _ = mot_dinov3.Trakcer


MODULES = ("typing", "socket", "signal", "cv2", "av", "numpy", "torch", "yaml")


@pytest.mark.parametrize("words", [["--help"], ["a.mp4", "--print-config"], ["eval", "--help"]])
def test_modules_of_the_working_directory_are_not_run(tmp_path, words):
    for name in MODULES:
        (tmp_path / f"{name}.py").write_text(f"open('RAN-{name}', 'w')\n")
    run = subprocess.run(
        [sys.executable, "-m", "mot_dinov3", *words],
        cwd=tmp_path, env={"PYTHONPATH": str(SOURCE)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (run.returncode, run.stderr) == (0, "")
    assert not list(tmp_path.glob("RAN*"))


def test_the_package_runs_where_it_lies():
    run = subprocess.run(
        [sys.executable, "-m", "mot_dinov3", "--help"],
        cwd=SOURCE, env={}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (run.returncode, run.stderr) == (0, "")


def test_another_program_keeps_its_modules(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "__init__.py").write_text("import mot_dinov3\n")
    (tmp_path / "mine" / "__main__.py").write_text("import beside\n")
    (tmp_path / "beside.py").write_text("print('found')\n")
    run = subprocess.run(
        [sys.executable, "-m", "mine"],
        cwd=tmp_path, env={"PYTHONPATH": str(SOURCE)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (run.returncode, run.stdout) == (0, "found\n")
