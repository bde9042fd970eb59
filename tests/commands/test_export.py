"""`export` as a user runs it: a file under its name, or one sentence and no file."""

from __future__ import annotations

import pytest

from helpers.drawn_crops import draw_crops
from helpers.reid_runs import write_run
from helpers.tiny_backbone import TABLE_ROW
from mot_dinov3.commands import main
from mot_dinov3.errors import EXIT_INPUT, EXIT_MODEL, EXIT_OK, EXIT_OUTPUT, EXIT_USAGE
from mot_dinov3.nets.reid.factory import BACKBONES

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setitem(BACKBONES.table, "tiny", TABLE_ROW)
    write_run(tmp_path / "run")
    return tmp_path / "run"


def test_it_writes_the_file_and_says_how_alike_both_are(run, tmp_path, capsys):
    path = tmp_path / "out" / "reid.onnx"
    assert main(["export", str(run), "--onnx", str(path)]) == EXIT_OK
    said = capsys.readouterr().out
    assert said.startswith(f"{path}: 0.0 MB, fp32; vectors differ by up to ")
    assert "mean cosine 1.0000" in said
    assert [p.name for p in path.parent.iterdir()] == ["reid.onnx"]
    before = path.read_bytes()
    crops = draw_crops(tmp_path / "crops", 2, shots=2)
    words = ["export", str(run), "--onnx", str(path), "--int8", "--data", str(crops)]
    assert main(words) == EXIT_OK
    assert "int8" in capsys.readouterr().out
    assert path.read_bytes() != before
    assert [p.name for p in path.parent.iterdir()] == ["reid.onnx"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        pytest.param(["{run}", "--int8"], EXIT_USAGE, "Add --data DIR", id="int8 without crops"),
        pytest.param(["{run}", "--data", "{tmp}/x"], EXIT_INPUT, "does not exist", id="no folder"),
        pytest.param(["{tmp}"], EXIT_MODEL, "is not a checkpoint", id="no run"),
        pytest.param(["{run}/nothing"], EXIT_MODEL, "is not a checkpoint", id="nothing"),
    ],
)
def test_what_cannot_be_exported_is_said_in_a_sentence(run, tmp_path, capsys, words, code, said):
    places = [word.format(run=run, tmp=tmp_path) for word in words]
    path = tmp_path / "out" / "reid.onnx"
    path.parent.mkdir()
    assert main(["export", *places, "--onnx", str(path)]) == code
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error
    assert not list(path.parent.iterdir())


def test_a_file_that_cannot_be_written_is_said_before_anything_is_done(run, tmp_path, capsys):
    assert main(["export", str(run), "--onnx", str(tmp_path / "run")]) == EXIT_OUTPUT
    assert "Traceback" not in capsys.readouterr().err
