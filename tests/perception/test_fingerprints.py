"""Fingerprints: recordings and journals of earlier versions are known by them."""

from __future__ import annotations

import hashlib

import pytest

from helpers.jobs import tiny_onnx
from mot_dinov3.config import DetectorConfig, DeviceConfig, EmbedderConfig
from mot_dinov3.perception.assets import demo_detector_path, demo_embedder_path
from mot_dinov3.perception.detectors.factory import create_detector
from mot_dinov3.perception.features.base import Placement
from mot_dinov3.perception.features.factory import create_embedder

TORCH = DeviceConfig(backend="torch", precision="fp32")


def of_file(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def of_directory(path):
    names = ("config.json", "model.safetensors", "preprocessor_config.json")
    lines = [f"{name} {of_file(path / name)}\n" for name in names]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


@pytest.fixture
def boxes(tmp_path):
    (tmp_path / "det.txt").write_text("1,-1,0,0,5,5,0.9\n")
    return tmp_path / "det.txt"


@pytest.fixture
def demo():
    pytest.importorskip("ultralytics")
    return create_detector(DetectorConfig(det="demo", imgsz=160), "cpu", TORCH)


def embedder(name, model="demo", detector=None, **more):
    config = EmbedderConfig(embedder=name, embed_model=str(model), **more)
    return create_embedder(config, Placement("cpu", TORCH, detector=detector))


def test_a_detector_with_weights_is_known_by_them(demo, tmp_path):
    assert (demo.fingerprint, demo.repeated) == (of_file(demo_detector_path()), "")
    named = create_detector(DetectorConfig(det=str(demo_detector_path())), "cpu", TORCH)
    assert named.fingerprint == demo.fingerprint


def test_stored_boxes_are_known_by_their_file(boxes):
    stored = create_detector(DetectorConfig(det=f"mot:{boxes}"), "cpu")
    assert (stored.fingerprint, stored.repeated) == ("built in", of_file(boxes))


def test_what_has_no_weights_is_built_in():
    motion = create_detector(DetectorConfig(det="motion"), "cpu")
    assert (motion.fingerprint, motion.repeated) == ("built in", "")


def test_an_embedder_is_known_by_its_directory_and_by_how_it_looks_at_pictures():
    weights = of_directory(demo_embedder_path())
    assert embedder("dino").fingerprint == weights
    dense = embedder("dense", dense_size="56X84")
    assert dense.fingerprint == f"{weights} on pictures of 56X84"


def test_an_onnx_embedder_is_known_by_its_file(tmp_path):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    path = tiny_onnx(tmp_path / "mean.onnx")
    config = EmbedderConfig(embedder="onnx", embed_model=str(path))
    assert create_embedder(config, Placement("cpu")).fingerprint == of_file(path)


def test_a_detectors_own_features_are_known_by_the_detector(demo):
    assert embedder("detector", "", demo).fingerprint == f"neck of {demo.fingerprint}"


def test_weights_that_are_replaced_while_they_are_used_are_not_those_that_run(boxes):
    stored = create_detector(DetectorConfig(det=f"mot:{boxes}"), "cpu")
    before = stored.repeated
    boxes.write_text("")
    assert stored.repeated == before
