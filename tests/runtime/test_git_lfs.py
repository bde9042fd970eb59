"""Pointer files of git-lfs are named as such, whatever they stand for."""

from __future__ import annotations

import pytest

from mot_dinov3.config import DetectorConfig, DeviceConfig, SourceConfig
from mot_dinov3.errors import EXIT_INPUT, EXIT_MODEL, InputError, ModelError, MotError
from mot_dinov3.io.formats.embeddings import read_embeddings
from mot_dinov3.io.formats.frame_log import FrameLog
from mot_dinov3.io.formats.mot import read_mot
from mot_dinov3.io.read.sources import open_source
from mot_dinov3.perception.backends.choice import Choice
from mot_dinov3.perception.backends.load import load_network
from mot_dinov3.perception.detectors.factory import create_detector
from mot_dinov3.runtime.git_lfs import refuse_pointer

TEXT = (
    "version https://git-lfs.github.com/spec/v1\n"
    "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
)


@pytest.fixture
def pointer(tmp_path):
    def write(name):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(TEXT)
        return tmp_path / name

    return write


def check(caught, code):
    text = str(caught.value)
    assert "pointer of git-lfs" in text
    assert "git lfs pull" in text
    assert caught.value.exit_code == code


@pytest.mark.parametrize("name", ["a.mp4", "a.avi", "a.png", "a.tif", "a.gif"])
def test_a_source(pointer, name):
    with pytest.raises(InputError) as caught:
        open_source(SourceConfig(source=str(pointer(name))))
    check(caught, EXIT_INPUT)


def test_a_directory_of_images(pointer, tmp_path):
    pointer("img/1.jpg")
    pointer("img/2.jpg")
    with pytest.raises(InputError) as caught:
        open_source(SourceConfig(source=str(tmp_path / "img")))
    check(caught, EXIT_INPUT)


def test_stored_detections(pointer):
    with pytest.raises(InputError) as caught:
        read_mot(pointer("det.txt"))
    check(caught, EXIT_INPUT)


def test_what_a_run_wrote(pointer):
    for read in (FrameLog, read_embeddings):
        with pytest.raises(InputError) as caught:
            next(iter(read(pointer("run"))))
        check(caught, EXIT_INPUT)


@pytest.mark.parametrize("name", ["a.pt", "a.onnx"])
def test_weights_of_a_detector(pointer, name):
    with pytest.raises(ModelError) as caught:
        create_detector(DetectorConfig(det=str(pointer(name))), "cpu", DeviceConfig())
    check(caught, EXIT_MODEL)


@pytest.mark.parametrize(("name", "backend"), [("a.onnx", "onnx"), ("a.xml", "openvino")])
def test_an_exported_network(pointer, name, backend):
    with pytest.raises(ModelError) as caught:
        load_network(pointer(name), Choice(backend, "fp32"), "cpu")
    check(caught, EXIT_MODEL)


def test_the_weights_beside_an_openvino_model(pointer, tmp_path):
    (tmp_path / "a.xml").write_text("<net/>")
    pointer("a.bin")
    with pytest.raises(ModelError) as caught:
        load_network(tmp_path / "a.xml", Choice("openvino", "fp32"), "cpu")
    check(caught, EXIT_MODEL)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_model_of_transformers(pointer, tmp_path, name):
    pytest.importorskip("transformers")
    from mot_dinov3.perception.pretrained import load_typed_model

    (tmp_path / "config.json").write_text('{"model_type": "dinov2"}')
    pointer(name)
    with pytest.raises(ModelError) as caught:
        load_typed_model(tmp_path, "AutoModel", ("dinov2",), "a model")
    check(caught, EXIT_MODEL)


def test_other_files_and_none_at_all_pass(tmp_path):
    (tmp_path / "a").write_bytes(b"version 1")
    for path in (tmp_path / "a", tmp_path / "missing", tmp_path):
        refuse_pointer(path, MotError)
