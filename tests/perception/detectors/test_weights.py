"""Weights files before they are loaded: found, fetched, or refused in words."""

from __future__ import annotations

import sys
import urllib.error
import zipfile
from socket import gaierror

import pytest

from mot_dinov3.errors import EXIT_MODEL, ModelError
from mot_dinov3.perception.detectors import weights
from mot_dinov3.perception.detectors.weights import (
    check_weights,
    find_weights,
    first_line,
    load_problem,
)

OFFICIAL = {"yolov8n.pt", "yolov8s.pt", "yolo11n.pt"}


@pytest.fixture(autouse=True)
def _official(monkeypatch, tmp_path):
    monkeypatch.setattr(weights, "_official_names", lambda: OFFICIAL)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


def archive(path):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("data.pkl", "x" * 500)
    return path


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.pt", b"hello", "is not a PyTorch file"),
        ("a.pt", b"", "is empty"),
        ("a.yaml", b"nc: 80", "holds no weights"),
        ("a.jpg", b"\xff\xd8", "not of a kind"),
        ("a", b"PK", "not of a kind"),
        ("det.txt", b"1,-1,0,0,9,9,1", "--det mot:FILE"),
        ("a.onnx", b"", "is empty"),
    ],
)
def test_what_cannot_be_weights_is_told_by_name_and_first_bytes(tmp_path, name, content, why):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelError, match=why) as caught:
        check_weights(tmp_path / name)
    assert caught.value.exit_code == EXIT_MODEL
    assert "--det motion --embed-model demo" in caught.value.fix


def test_a_cut_archive_is_told_from_a_whole_one(tmp_path):
    whole = archive(tmp_path / "a.pt")
    assert check_weights(whole) == whole
    whole.write_bytes(whole.read_bytes()[:100])
    with pytest.raises(ModelError, match="cut off"):
        check_weights(whole)


def test_an_export_may_be_a_directory_but_not_any_directory(tmp_path):
    export = tmp_path / "yolov8n_openvino_model"
    export.mkdir()
    assert check_weights(export) == export
    with pytest.raises(ModelError, match="is a directory"):
        check_weights(tmp_path)


def test_a_file_here_comes_before_the_cache_and_the_network(tmp_path):
    kept = weights.weights_dir() / "yolov8n.pt"
    kept.parent.mkdir(parents=True)
    archive(kept)
    assert find_weights("yolov8n.pt") == kept
    assert find_weights("yolov8n") == kept
    here = archive(tmp_path / "yolov8n.pt")
    assert find_weights("yolov8n.pt").resolve() == here


@pytest.mark.parametrize("det", ["yolov8x9.pt", "dir/yolov8n.pt", "./yolov8n.pt", "nonsense"])
def test_a_name_that_is_neither_file_nor_official_is_refused(det):
    with pytest.raises(ModelError, match="neither a file here nor an official"):
        find_weights(det)


def test_a_slip_in_an_official_name_is_answered_with_near_ones():
    with pytest.raises(ModelError) as caught:
        find_weights("yolov8m.pt")
    assert "Did you mean yolov8" in caught.value.fix


@pytest.mark.parametrize(
    ("det", "meant"),
    [
        ("motoin", "motion"),
        ("dmeo", "demo"),
        ("mto:det.txt", "mot:FILE"),
        ("yolo11m", "yolo11n.pt"),
    ],
)
def test_a_slip_in_a_name_that_needs_no_weights_is_answered_too(det, meant):
    with pytest.raises(ModelError) as caught:
        find_weights(det)
    assert f"Did you mean {meant}" in caught.value.fix


def test_a_path_is_no_slip():
    with pytest.raises(ModelError) as caught:
        find_weights("models/motoin")
    assert "Did you mean" not in caught.value.fix


def test_an_address_is_refused_without_repeating_it():
    with pytest.raises(ModelError) as caught:
        find_weights("https://user:secret@host/best.pt")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (urllib.error.URLError(gaierror(-2, "Name or service not known")), "no network"),
        (urllib.error.URLError(TimeoutError("timed out")), "timed out"),
        (ConnectionResetError(104, "Connection reset by peer"), "Connection reset"),
    ],
)
def test_official_weights_out_of_reach_fail_at_once_with_a_way_out(monkeypatch, error, why):
    tries = []

    def refuse(*_, **__):
        tries.append(1)
        raise error

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    with pytest.raises(ModelError, match=r"'yolov8n\.pt' is not on this machine") as caught:
        find_weights("yolov8n.pt")
    assert why in caught.value.what
    assert "--det motion --embed-model demo" in caught.value.fix
    assert len(tries) == 1


def test_a_download_goes_to_the_cache_and_says_nothing_on_stdout(monkeypatch, tmp_path, capsys):
    downloads = pytest.importorskip("ultralytics.utils.downloads")
    monkeypatch.setattr(weights, "_probe", lambda: None)

    def fetch(target, **_):
        sys.stdout.write("42 %")
        archive(target)

    monkeypatch.setattr(downloads, "attempt_download_asset", fetch)
    assert find_weights("yolov8s.pt") == weights.weights_dir() / "yolov8s.pt"
    assert not list(tmp_path.glob("*.pt"))
    assert capsys.readouterr().out == ""


def test_a_download_that_brings_nothing_is_an_error(monkeypatch):
    downloads = pytest.importorskip("ultralytics.utils.downloads")
    monkeypatch.setattr(weights, "_probe", lambda: None)
    monkeypatch.setattr(downloads, "attempt_download_asset", lambda target, **_: None)
    with pytest.raises(ModelError, match="brought nothing"):
        find_weights("yolov8s.pt")


def test_hidden_code_is_named(tmp_path):
    error = TypeError("references types outside")
    error.__cause__ = ValueError("Trying to load unsupported GLOBAL posix.system whose module")
    problem = load_problem(tmp_path / "a.pt", error)
    assert "holds code (posix.system) and is refused" in problem.what


def test_other_damage_is_told_in_one_line(tmp_path):
    assert "damaged" in load_problem(tmp_path / "a.pt", TypeError("references types outside")).what
    problem = load_problem(tmp_path / "a.pt", RuntimeError("ERROR \u274c\ufe0f bad magic.\nmore"))
    assert problem.what.endswith("cannot be loaded: bad magic.")
    assert first_line(RuntimeError("")) == "no reason was given"
