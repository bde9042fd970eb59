"""Real weights on real frames: every backend and precision finds as many people as torch fp32."""

from __future__ import annotations

from importlib.util import find_spec

import cv2
import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from helpers.places import ASSETS
from mot_dinov3.config import DetectorConfig, DeviceConfig
from mot_dinov3.perception.detectors.factory import create_detector
from mot_dinov3.runtime.cpu import has_bf16
from mot_dinov3.values import Frame
from mot_dinov3.values.boxes import iou_matrix

WEIGHTS = ASSETS / "weights/yolov8n_deq.pt"
SEQUENCES = ASSETS / "mot17-mini"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (WEIGHTS.is_file() and SEQUENCES.is_dir()), reason="the shared test assets are not here"
    ),
]
MOST_OFF = 0.5
"""Points of recall and of precision."""
PACKAGE = {"openvino": "openvino", "onnx": "onnxruntime", "torch": "torch"}


@pytest.fixture(scope="module")
def frames():
    """Pairs of a picture and the boxes of the people in it of whom a quarter can be seen."""
    pairs = []
    for sequence in sorted(SEQUENCES.iterdir()):
        truth = np.loadtxt(sequence / "gt/gt.txt", delimiter=",")
        people = truth[(truth[:, 6] == 1) & (truth[:, 7] == 1) & (truth[:, 8] >= 0.25)]
        for path in sorted((sequence / "img1").glob("*.jpg")):
            xyxy = people[people[:, 0] == int(path.stem), 2:6].astype(np.float32)
            xyxy[:, 2:] += xyxy[:, :2]
            pairs.append((cv2.imread(str(path)), xyxy))
    return pairs


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return str(tmp_path_factory.mktemp("exports"))


def recall_and_precision(frames, settings):
    """Both in percent, people at IoU 0.5."""
    config = DetectorConfig(det=str(WEIGHTS), imgsz=640, classes="person", conf=0.3, low_conf=0.3)
    detector = create_detector(config, "cpu", settings)
    hits = found = people = 0
    for image, truth in frames:
        boxes = detector.detect(Frame(0, 0.0, image)).xyxy
        iou = iou_matrix(truth, boxes)
        hits += int((iou[linear_sum_assignment(-iou)] >= 0.5).sum())
        found, people = found + len(boxes), people + len(truth)
    return np.array([100 * hits / people, 100 * hits / found])


@pytest.fixture(scope="module")
def exact(frames, cache):
    settings = DeviceConfig(backend="torch", precision="fp32", export_cache=cache)
    figures = recall_and_precision(frames, settings)
    assert figures[0] > 40
    assert figures[1] > 75
    return figures


@pytest.mark.parametrize(
    ("backend", "precision"),
    [
        ("openvino", "fp32"),
        ("openvino", "bf16"),
        ("onnx", "fp32"),
        ("torch", "bf16"),
    ],
)
def test_recall_and_precision_stay(frames, cache, exact, backend, precision):
    if not find_spec(PACKAGE[backend]):
        pytest.skip(f"{PACKAGE[backend]} is not installed")
    if precision == "bf16" and not has_bf16():
        pytest.skip("this CPU does not compute with bf16")
    settings = DeviceConfig(backend=backend, precision=precision, export_cache=cache)
    figures = recall_and_precision(frames, settings)
    assert np.abs(figures - exact).max() <= MOST_OFF, (figures, exact)


@pytest.mark.skipif(
    not (find_spec("nncf") and find_spec("openvino")), reason="nncf is not installed"
)
def test_int8_loses_little(frames, cache, exact):
    settings = DeviceConfig(precision="int8", export_cache=cache)
    assert (recall_and_precision(frames, settings) > exact - 2).all()
