"""Ultralytics' own loop: what is passed to it, and what its answers become."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from helpers.fakes import blank_frame
from mot_dinov3.config import DetectorConfig
from mot_dinov3.errors import DeviceError, ModelError
from mot_dinov3.perception.detectors import checkpoint, ultralytics_loop
from mot_dinov3.perception.detectors.decode import NMS_IOU
from mot_dinov3.perception.detectors.ultralytics_loop import UltralyticsDetector
from mot_dinov3.perception.detectors.weights import device_problem


class FakeModel:
    """Answers like an Ultralytics model, and remembers what it was asked."""

    def __init__(self, rows=(), task="detect", failure=None):
        self.names, self.task = {0: "person", 2: "car"}, task
        self.rows, self.failure, self.asked = rows, failure, []

    def predict(self, image, **arguments):
        self.asked.append((image, arguments))
        if self.failure is not None:
            raise self.failure
        if self.rows is None:
            return [SimpleNamespace(boxes=None)]
        table = np.array(self.rows, np.float32).reshape(
            len(self.rows), len(self.rows[0]) if self.rows else 6
        )
        tensor = SimpleNamespace(cpu=lambda: SimpleNamespace(numpy=lambda: table))
        boxes = type("Boxes", (), {"data": tensor, "__len__": lambda self: len(table)})()
        return [SimpleNamespace(boxes=boxes)]


@pytest.fixture
def build(monkeypatch, tmp_path):
    """Build a detector around a fake model."""

    def make(model, device="cpu", half=False, **settings):
        package = SimpleNamespace(YOLO=lambda path: model)
        monkeypatch.setattr(checkpoint, "import_ultralytics", lambda: package)
        monkeypatch.setattr(ultralytics_loop, "_half_argument", lambda: {"half": True})
        path = tmp_path / "some.engine"
        return UltralyticsDetector(DetectorConfig(**settings), path, device, half=half)

    return make


def test_settings_reach_the_model(build):
    model = FakeModel()
    detector = build(model, classes="car", conf=0.4, low_conf=0.2, imgsz=320)
    frame = blank_frame(0)
    assert len(detector.detect(frame)) == 0
    image, arguments = model.asked[0]
    assert image is frame.image
    assert arguments == {
        "conf": 0.2, "imgsz": 320, "classes": [2], "device": "cpu", "verbose": False,
        "iou": NMS_IOU, "agnostic_nms": True,
    }  # fmt: skip
    assert detector.title == "some.engine 320 px, Ultralytics, cpu"


def test_warming_up_runs_on_a_real_picture_of_the_right_size(build):
    model = FakeModel()
    build(model).warm_up(64, 48)
    assert model.asked[0][0].shape == (48, 64, 3)


def test_rows_become_detections_with_ids_or_without(build):
    for row in ([1, 2, 3, 4, 0.5, 2], [1, 2, 3, 4, 99, 0.5, 2]):
        found = build(FakeModel([row])).detect(blank_frame(0))
        assert found.xyxy.tolist() == [[1, 2, 3, 4]]
        assert found.score.tolist() == [0.5]
        assert found.class_id.tolist() == [2]


def test_a_result_without_boxes_is_empty(build):
    assert len(build(FakeModel(None)).detect(blank_frame(0))) == 0


@pytest.mark.parametrize("task", ["classify", "obb", "semantic"])
def test_a_model_without_upright_boxes_is_refused(build, task):
    with pytest.raises(ModelError, match=f"is a model for '{task}'"):
        build(FakeModel(task=task))


@pytest.mark.parametrize("task", ["detect", "segment", "pose"])
def test_models_with_boxes_are_taken(build, task):
    build(FakeModel(task=task))


def test_half_precision_is_passed_on(build):
    model = FakeModel()
    detector = build(model, device="cuda:0", half=True)
    detector.detect(blank_frame(0))
    assert model.asked[0][1]["half"] is True
    assert detector.title == "some.engine 960 px, Ultralytics fp16, cuda:0"


def test_device_troubles_are_told_from_others(build):
    full = build(FakeModel(failure=RuntimeError("CUDA out of memory. Tried to allocate")))
    with pytest.raises(DeviceError, match="ran out of memory") as caught:
        full.detect(blank_frame(0))
    assert "--imgsz" in caught.value.fix
    assert isinstance(device_problem(ValueError("Invalid CUDA 'device=0' requested"), "cuda:0"),
                      DeviceError)  # fmt: skip
    assert device_problem(RuntimeError("shapes differ"), "cpu") is None


def test_a_model_that_cannot_run_says_so_but_later_bugs_stay_bugs(build):
    model = FakeModel(failure=RuntimeError("wrong input"))
    detector = build(model)
    with pytest.raises(ModelError, match="does not run as a detector: wrong input"):
        detector.warm_up(64, 48)
    model.failure = None
    detector.warm_up(64, 48)
    model.failure = RuntimeError("a bug")
    with pytest.raises(RuntimeError, match="a bug"):
        detector.detect(blank_frame(0))
