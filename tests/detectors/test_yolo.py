"""The Ultralytics detector: what is passed, what is dropped, and what the process keeps."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from clips import ASSETS
from fakes import blank_frame
from mot_dinov3.config import DetectorConfig
from mot_dinov3.detectors import yolo
from mot_dinov3.detectors.factory import create_detector
from mot_dinov3.detectors.ultralytics_setup import kept_threads
from mot_dinov3.detectors.yolo import YoloDetector, clean_detections, device_problem
from mot_dinov3.errors import DeviceError, ModelError, UsageError

WEIGHTS = ASSETS / "weights/yolov8n_deq.pt"
needs_weights = pytest.mark.skipif(not WEIGHTS.exists(), reason="the shared weights are not here")


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
        monkeypatch.setattr(yolo, "import_ultralytics", lambda: package)
        monkeypatch.setattr(yolo, "find_weights", lambda det: tmp_path / "some.pt")
        monkeypatch.setattr(yolo, "_half_argument", lambda: {"half": True})
        return YoloDetector(DetectorConfig(**settings), device, half)

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
        "iou": yolo.NMS_IOU, "agnostic_nms": True,
    }  # fmt: skip
    assert detector.title == "some.pt 320 px, cpu"


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


def test_boxes_that_are_no_boxes_are_dropped():
    nan = float("nan")
    xyxy = np.array(
        [[0, 0, 5, 5], [5, 0, 0, 5], [0, 5, 5, 5], [0, nan, 5, 5], [0, 0, np.inf, 5], [1, 1, 2, 2]],
        np.float32,
    )
    score = np.array([0.5, 0.5, 0.5, 0.5, 0.5, nan], np.float32)
    found = clean_detections(xyxy, score, np.zeros(6, np.int64))
    assert found.xyxy.tolist() == [[0, 0, 5, 5]]


@pytest.mark.parametrize("task", ["classify", "obb", "semantic"])
def test_a_model_without_upright_boxes_is_refused(build, task):
    with pytest.raises(ModelError, match=f"is a model for '{task}'"):
        build(FakeModel(task=task))


@pytest.mark.parametrize("task", ["detect", "segment", "pose"])
def test_models_with_boxes_are_taken(build, task):
    build(FakeModel(task=task))


def test_half_precision_needs_cuda(build):
    model = FakeModel()
    with pytest.raises(UsageError, match="--half"):
        build(model, half=True)
    detector = build(model, device="cuda:0", half=True)
    detector.detect(blank_frame(0))
    assert model.asked[0][1]["half"] is True
    assert detector.title.endswith("fp16")


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


def test_thread_counts_come_back(monkeypatch):
    import cv2
    import torch

    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    torch_threads, cv_threads = torch.get_num_threads(), cv2.getNumThreads()
    other = torch_threads + 1
    with kept_threads():
        torch.set_num_threads(other)
        cv2.setNumThreads(0)
        os.environ["OMP_NUM_THREADS"] = "1"
    assert (torch.get_num_threads(), cv2.getNumThreads()) == (torch_threads, cv_threads)
    assert "OMP_NUM_THREADS" not in os.environ


REAL = """
import os, sys
sys.path.insert(0, sys.argv[1])
import numpy as np, torch, cv2
torch.set_num_threads(2)
before = torch.get_num_threads(), cv2.getNumThreads()
from mot_dinov3.config import DetectorConfig
from mot_dinov3.detectors.factory import create_detector
from mot_dinov3.structures import Frame
detector = create_detector(DetectorConfig(det=sys.argv[2], imgsz=640, classes="person"), "cpu")
image = cv2.imread(sys.argv[3])
detector.warm_up(image.shape[1], image.shape[0])
seen = []
module = detector._model.predictor.model
module.register_forward_pre_hook(lambda *_: seen.append(torch.get_num_threads()))
found = detector.detect(Frame(0, 0.0, image))
after = torch.get_num_threads(), cv2.getNumThreads()
assert before == after, (before, after)
assert seen == [2], seen
assert "OMP_NUM_THREADS" not in os.environ
assert len(found) >= 5 and set(found.class_id.tolist()) == {0}, found
assert os.listdir(".") == [], os.listdir(".")
from ultralytics import settings
assert settings["sync"] is False
assert os.environ["ULTRALYTICS_SAFE_LOAD"] == "1"
"""


@pytest.mark.slow
@needs_weights
def test_real_weights_find_people_quietly_with_all_threads(tmp_path):
    """In a process of its own: what is asked is about its first import of Ultralytics."""
    folder = tmp_path / "empty"
    folder.mkdir()
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("YOLO", "OMP"))}
    environment["XDG_CACHE_HOME"] = str(tmp_path / "cache")
    image = ASSETS / "mot17-mini/MOT17-09-FRCNN/img1/000001.jpg"
    source = Path(__file__).parents[2] / "src"
    done = subprocess.run(
        [sys.executable, "-c", REAL, source, WEIGHTS, image],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""


def test_missing_demo_weights_say_how_to_get_them(monkeypatch, tmp_path):
    monkeypatch.setattr("mot_dinov3.assets.demo_detector_path", lambda: tmp_path / "none.pt")
    with pytest.raises(ModelError, match="demo detector's weights") as caught:
        create_detector(DetectorConfig(det="demo"), "cpu")
    assert "train-demo" in caught.value.fix


class Bomb:
    """Makes a directory when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.slow
def test_code_in_a_weights_file_is_refused_and_not_run(tmp_path, monkeypatch):
    """Also where the program had imported Ultralytics before, with its own defaults."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("ultralytics.nn.tasks.SAFE_LOAD", False)
    (tmp_path / "bomb.pt").write_bytes(pickle.dumps(Bomb(str(tmp_path / "hit")), protocol=2))
    with pytest.raises(ModelError, match="holds code"):
        create_detector(DetectorConfig(det=str(tmp_path / "bomb.pt")), "cpu")
    assert not (tmp_path / "hit").exists()
