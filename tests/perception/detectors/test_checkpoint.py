"""Weights files: loaded without running what is hidden in them, and without a trace."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys

import cv2
import numpy as np
import pytest

from helpers.places import ASSETS, SOURCE
from mot_dinov3.config import DetectorConfig
from mot_dinov3.errors import ModelError
from mot_dinov3.perception.backends.choice import Choice
from mot_dinov3.perception.backends.torch import TorchNetwork
from mot_dinov3.perception.detectors.checkpoint import (
    CROPS,
    PICTURES,
    Checkpoint,
    write_calibration,
)
from mot_dinov3.perception.detectors.decode import decode_answer, decode_levels
from mot_dinov3.perception.detectors.factory import create_detector
from mot_dinov3.perception.detectors.ultralytics_setup import preserve_threads

WEIGHTS = ASSETS / "weights/yolov8n_deq.pt"
needs_weights = pytest.mark.skipif(not WEIGHTS.exists(), reason="the shared weights are not here")


def test_thread_counts_come_back(monkeypatch):
    import torch

    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    torch_threads, cv_threads = torch.get_num_threads(), cv2.getNumThreads()
    other = torch_threads + 1
    with preserve_threads():
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
from mot_dinov3.config import DetectorConfig, DeviceConfig
from mot_dinov3.perception.detectors.checkpoint import CROPS, PICTURES, write_calibration
from mot_dinov3.perception.detectors.factory import create_detector
from mot_dinov3.values import Frame
detector = create_detector(DetectorConfig(det=sys.argv[2], imgsz=640, classes="person"), "cpu",
                           DeviceConfig(backend="torch", precision="fp32"))
image = cv2.imread(sys.argv[3])
detector.warm_up(image.shape[1], image.shape[0])
seen = []
module = detector._source._network.module
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
    source = SOURCE
    done = subprocess.run(
        [sys.executable, "-c", REAL, source, WEIGHTS, image],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""


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


def test_crops_are_the_same_every_time_and_described_in_ultralytics_form(tmp_path):
    pytest.importorskip("ultralytics")
    written = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        facts = json.loads(write_calibration(tmp_path / name, {0: "person", 1: "car"}).read_text())
        assert facts["names"] == ["person", "car"]
        folder = tmp_path / name / facts["val"]
        assert facts["path"] == str(tmp_path / name)
        written.append({path.name: path.read_bytes() for path in sorted(folder.iterdir())})
    assert len(written[0]) == CROPS * len(PICTURES)
    assert written[0] == written[1]
    sizes = {cv2.imread(str(path)).shape for path in folder.iterdir()}
    assert len(sizes) > CROPS


def save_model(name, path):
    """A checkpoint of random weights whose scores and boxes differ from place to place."""
    import torch
    from ultralytics import YOLO

    torch.manual_seed(0)
    model = YOLO(f"{name}.yaml")
    for parameter in model.model.model[-1].parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    model.save(str(path))
    return path


@pytest.mark.parametrize("name", ["yolov8n-seg", "yolo11n-seg", "yolov8n-pose", "yolo26n-seg"])
def test_every_task_with_boxes_gives_the_boxes_of_its_own_decoder(tmp_path, monkeypatch, name):
    pytest.importorskip("ultralytics")
    import torch

    monkeypatch.setenv("YOLO_AUTOINSTALL", "0")
    checkpoint = Checkpoint(save_model(name, tmp_path / f"{name}.pt"))
    pixels = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    own = checkpoint.model.model.float().eval()
    with torch.inference_mode():
        answer = own(pixels)
        while not isinstance(answer, torch.Tensor):
            answer = answer[0]
        module, levels = checkpoint.module()
        given = TorchNetwork(module, Choice("torch", "fp32"), "cpu", name)(pixels)
    if checkpoint.about.final:
        assert given[0].shape[2] >= 6
        return
    expected = decode_answer(answer[0].numpy(), len(checkpoint.about.names), 0.01)
    found = (
        decode_levels(given, 64, 0.01)
        if levels
        else decode_answer(given[0][0], len(checkpoint.about.names), 0.01)
    )
    assert len(expected.score) > 50
    np.testing.assert_allclose(found.xyxy, expected.xyxy, atol=0.02)
    np.testing.assert_allclose(found.score, expected.score, atol=1e-4)


def test_a_head_that_decodes_does_so_in_float32(tmp_path):
    """In fp16 corners beyond 512 pixels are rounded to half pixels, beyond 1024 to whole ones."""
    pytest.importorskip("ultralytics")
    import copy

    import torch

    from mot_dinov3.nets.yolo_levels import decode_in_float32

    torch.manual_seed(0)
    model = Checkpoint(save_model("yolov8n", tmp_path / "n.pt")).model.model.eval()
    exact, plain, ours = model.model[-1], *(copy.deepcopy(model).half() for _ in range(2))
    decode_in_float32(ours)
    sizes = ((60, 160), (30, 80), (15, 40))
    boxes = torch.randn(1, 64, sum(rows * columns for rows, columns in sizes)).half()
    feats = [torch.zeros(1, 1, *size).half() for size in sizes]
    parts = {"boxes": boxes, "scores": torch.zeros(1, 80, boxes.shape[2]).half(), "feats": feats}
    whole = {**parts, "boxes": boxes.float(), "feats": [level.float() for level in feats]}
    with torch.inference_mode():
        expected = exact._inference(whole)[:, :4]
        rounded = plain.model[-1]._inference(parts)[:, :4].float()
        found = ours.model[-1]._inference(parts)[:, :4]
    assert expected.max() > 1200
    assert (rounded - expected).abs().max() > 0.4
    assert (found - expected).abs().max() < 0.01
