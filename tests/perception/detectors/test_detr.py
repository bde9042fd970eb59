"""`--det detr:RUN`: boxes as the network gives them, whatever runs it, and what it refuses."""

from __future__ import annotations

import json

import numpy as np
import pytest

from helpers.labelled import NAMES, draw_squares, train_detector, write_squares
from mot_dinov3.config import DetectorConfig, DeviceConfig
from mot_dinov3.errors import ModelError, UsageError
from mot_dinov3.nets.detr.answering import AnsweringDetr
from mot_dinov3.perception.detectors.base import CloserLook
from mot_dinov3.perception.detectors.detr_networks import load_network
from mot_dinov3.perception.detectors.factory import create_detector
from mot_dinov3.values import Frame

PICTURES = [one.image for one in draw_squares(2, seed=3, size=(90, 160))]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("detr")
    train_detector(folder / "run", write_squares(folder / "data"), steps=3, rate=1e-3)
    return folder / "run"


def create(run, backend="torch", exports="", **changes):
    config = DetectorConfig(det=f"detr:{run}", conf=0.001, **changes)
    settings = DeviceConfig(backend=backend, export_cache=str(exports))
    return create_detector(config, "cpu", settings)


def ask(answering, pixels):
    import torch

    with torch.no_grad():
        return answering(torch.from_numpy(pixels))[0][0].numpy()


def detect(detector, picture):
    return detector.detect(Frame(0, 0.0, picture))


def test_boxes_are_those_of_the_network(run):
    detector = create(run)
    assert dict(detector.names) == dict(enumerate(NAMES.values()))
    tracked = detect(detector, PICTURES[0])
    detector.count_every_class()
    found = detect(detector, PICTURES[0])
    assert 0 < len(tracked) <= len(found)  # without those that repeat a better one
    network, checkpoint = load_network(run)
    answering = AnsweringDetr(network, checkpoint.config.mean, checkpoint.config.std)
    how = detector._fit(PICTURES[0])
    assert max(how.size) == 96
    rows = ask(answering, detector._letterbox(PICTURES[0], how))
    wanted = how.to_picture(rows[:, :4])
    assert len(found) > 5
    for xyxy, score in zip(found.xyxy, found.score, strict=True):
        row = np.abs(rows[:, 4] - score).argmin()
        assert xyxy == pytest.approx(wanted[row], abs=0.01)


@pytest.mark.parametrize(("backend", "head"), [("onnx", "deformable"), ("openvino", "detr")])
def test_an_export_finds_the_same_within_a_pixel(tmp_path, backend, head):
    pytest.importorskip("onnxruntime" if backend == "onnx" else "openvino")
    train_detector(tmp_path / "run", write_squares(tmp_path / "data"), head=head)
    exact = detect(create(tmp_path / "run"), PICTURES[1])
    found = detect(create(tmp_path / "run", backend, tmp_path / "exports"), PICTURES[1])
    assert len(found) == len(exact)
    off = np.abs(found.xyxy[:, None] - exact.xyxy).max(axis=2) < 1
    off &= np.abs(found.score[:, None] - exact.score) < 1e-3
    assert off.any(axis=1).mean() >= 0.8  # of equal proposals another one may be taken


def test_the_best_confidence_is_said_where_another_is_used(run, tmp_path, caplog):
    folder = tmp_path / "best"
    folder.mkdir()
    for file in (run / "best").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "thresholds": {"conf": 0.42}}))
    create_detector(DetectorConfig(det=f"detr:{tmp_path}"), "cpu", DeviceConfig(backend="torch"))
    assert "best at --conf 0.42, and 0.30 is used" in caplog.text
    caplog.clear()
    create(tmp_path)
    assert not caplog.text


def test_pictures_are_as_large_as_in_training_where_no_size_is_given(run):
    assert create(run)._longest == 96
    assert create(run, imgsz=320)._longest == 320


def test_classes_can_be_chosen(run):
    found = detect(create(run, classes="blue"), PICTURES[0])
    assert set(found.class_id.tolist()) <= {1}


def test_the_backbone_looks_closer_at_crops(run):
    detector = create(run)
    assert isinstance(detector, CloserLook)
    assert detector.keep_neck()
    detect(detector, PICTURES[0])
    boxes = np.array([[10, 10, 30.4, 50], [100, 0, 200, 90]], np.float32)
    maps = detector.look_closer(PICTURES[0], boxes)
    assert [one.shape[1] for one in maps] == [len(one) for one in detector.neck.maps]
    assert [one.shape[0] for one in maps] == [2, 2]
    alone = detector.look_closer(PICTURES[0], boxes[1:])
    assert np.allclose(maps[0][1], alone[0][0], atol=1e-5)


def test_what_is_not_such_a_detector_is_refused(run, tmp_path):
    with pytest.raises(ModelError, match="is not a folder"):
        create(tmp_path / "nothing")
    with pytest.raises(UsageError, match="detr:RUN"):
        create_detector(DetectorConfig(det="detr"), "cpu", DeviceConfig())
    with pytest.raises(UsageError, match="int8"):
        create_detector(DetectorConfig(det=f"detr:{run}"), "cpu", DeviceConfig(precision="int8"))


def test_a_checkpoint_of_another_kind_is_refused(run, tmp_path):
    folder = tmp_path / "best"
    folder.mkdir()
    for file in (run / "best").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "kind": "reid"}))
    with pytest.raises(ModelError, match="'reid'"):
        create(tmp_path)
    sizes = {**config["sizes"], "queries": "many"}
    (folder / "config.json").write_text(json.dumps({**config, "sizes": sizes}))
    with pytest.raises(ModelError):
        create(tmp_path)
