"""From `--det` to a detector: the backend for each kind of file, exports once, no torch twice."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import mot_dinov3
from mot_dinov3.config import DetectorConfig, DeviceConfig
from mot_dinov3.data.synthetic.reader import open_world
from mot_dinov3.errors import ModelError, UsageError
from mot_dinov3.perception.backends.choice import Choice
from mot_dinov3.perception.detectors import loading
from mot_dinov3.perception.detectors.factory import create_detector
from mot_dinov3.runtime.cpu import has_bf16
from mot_dinov3.values import Frame

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
needs_openvino = pytest.mark.skipif(not find_spec("openvino"), reason="OpenVINO is not installed")
needs_onnx = pytest.mark.skipif(not find_spec("onnxruntime"), reason="onnxruntime is not installed")
SIZE = 320


@pytest.fixture(scope="module")
def picture():
    """A frame of a drawn street, in which the demo detector finds somebody."""
    return open_world("synthetic:crossings:7").frame(40)[0].image


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("exports")


def build(cache, det="demo", **settings):
    config = DetectorConfig(det=str(det), imgsz=SIZE)
    return create_detector(config, "cpu", DeviceConfig(export_cache=str(cache), **settings))


def boxes(detector, image):
    found = detector.detect(Frame(0, 0.0, image))
    order = np.argsort(-found.score)
    return found.xyxy[order], found.score[order], found.class_id[order]


@pytest.fixture(scope="module")
def expected(picture, cache):
    """What torch finds in float32."""
    found = boxes(build(cache, backend="torch", precision="fp32"), picture)
    assert len(found[1]) >= 2
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backend", "precision"),
    [
        pytest.param("openvino", "fp32", marks=needs_openvino),
        pytest.param("openvino", "bf16", marks=needs_openvino),
        pytest.param("onnx", "fp32", marks=needs_onnx),
        ("torch", "bf16"),
    ],
)
def test_every_backend_finds_the_same(cache, picture, expected, backend, precision):
    if (backend, precision) == ("openvino", "bf16") and not has_bf16():
        pytest.skip("this CPU has no bf16")
    off_px, off_score = (0.1, 0.001) if precision == "fp32" else (4.0, 0.05)
    choice = Choice(backend, precision)
    detector = build(cache, backend=backend, precision=precision)
    strong = expected[1] > 0.3
    xyxy, score, class_id = (part[: strong.sum()] for part in boxes(detector, picture))
    order, wanted = np.argsort(xyxy[:, 0]), np.argsort(expected[0][strong, 0])
    np.testing.assert_allclose(xyxy[order], expected[0][strong][wanted], atol=off_px)
    np.testing.assert_allclose(score[order], expected[1][strong][wanted], atol=off_score)
    assert class_id[order].tolist() == expected[2][strong][wanted].tolist()
    assert choice.title in detector.title


@pytest.mark.slow
@needs_openvino
def test_the_second_run_exports_nothing_and_imports_no_torch(cache, picture, expected):
    boxes(build(cache, backend="openvino", precision="fp32"), picture)
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from mot_dinov3.config import DetectorConfig, DeviceConfig\n"
        "from mot_dinov3.perception.detectors.factory import create_detector\n"
        "settings = DeviceConfig(backend='openvino', export_cache=sys.argv[2])\n"
        f"config = DetectorConfig(det='demo', imgsz={SIZE})\n"
        "detector = create_detector(config, 'cpu', settings)\n"
        "detector.warm_up(int(sys.argv[3]), int(sys.argv[4]))\n"
        "assert not {'torch', 'ultralytics', 'onnx'} & set(sys.modules)\n"
    )
    height, width = picture.shape[:2]
    source = Path(mot_dinov3.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", program, source, cache, str(width), str(height)],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Exporting" not in done.stderr
    assert done.stdout == ""


@pytest.mark.slow
@needs_openvino
def test_the_neck_of_both_backends_is_the_same(cache, picture, expected):
    ours = build(cache, backend="openvino", precision="fp32")
    theirs = build(cache, backend="torch", precision="fp32")
    assert ours.keep_neck()
    assert theirs.keep_neck()
    for detector in (ours, theirs):
        found = boxes(detector, picture)
        np.testing.assert_allclose(found[0], expected[0], atol=0.1)
    assert [level.ndim for level in ours.neck.maps] == [3, 3, 3]
    for one, other in zip(ours.neck.maps, theirs.neck.maps, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-3)
    assert [round(ours.neck.stride(level)) for level in range(3)] == [8, 16, 32]


@pytest.mark.slow
@needs_onnx
def test_an_export_of_the_users_runs_as_it_is(cache, picture, expected, tmp_path):
    boxes(build(cache, backend="onnx"), picture)
    (exported,) = cache.glob("*-onnx-*/model.onnx")
    own = tmp_path / "mine.onnx"
    shutil.copy(exported, own)
    for backend in ("onnx", *(["openvino"] if find_spec("openvino") else [])):
        detector = build(tmp_path / "unused", own, backend=backend, precision="fp32")
        np.testing.assert_allclose(boxes(detector, picture)[0], expected[0], atol=0.1)
        assert detector.title.startswith("mine.onnx ")
    assert not (tmp_path / "unused").exists()
    with pytest.raises(UsageError, match="--backend torch cannot run this model"):
        build(cache, own, backend="torch")


@pytest.fixture
def plain(monkeypatch):
    """A loader that takes every file for one that is there."""
    monkeypatch.setattr(loading, "find_weights", Path)


def test_half_precision_needs_cuda():
    with pytest.raises(UsageError, match="--half needs a CUDA device"):
        create_detector(DetectorConfig(det="x.pt"), "cpu", DeviceConfig(half=True))


@pytest.mark.usefixtures("plain")
def test_int8_in_onnxruntime_is_refused():
    settings = DeviceConfig(backend="onnx", precision="int8")
    with pytest.raises(UsageError, match="int8 of a detector needs OpenVINO"):
        create_detector(DetectorConfig(det="x.pt"), "cpu", settings)


@pytest.mark.usefixtures("plain")
def test_fp16_on_a_cpu_is_refused():
    with pytest.raises(UsageError, match="fp16 of a detector needs a GPU"):
        create_detector(DetectorConfig(det="x.pt"), "cpu", DeviceConfig(precision="fp16"))


@needs_openvino
@pytest.mark.usefixtures("plain")
def test_int8_names_the_extra_that_it_needs(monkeypatch):
    monkeypatch.setattr(loading, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match="needs the package 'nncf'") as caught:
        create_detector(DetectorConfig(det="x.pt"), "cpu", DeviceConfig(precision="int8"))
    assert "[int8]" in caught.value.fix


@pytest.mark.parametrize("settings", [{"backend": "openvino"}, {"precision": "bf16"}])
@pytest.mark.usefixtures("plain")
def test_what_only_ultralytics_runs_takes_no_other_backend(settings):
    with pytest.raises(UsageError, match=r"x\.torchscript"):
        create_detector(DetectorConfig(det="x.torchscript"), "cpu", DeviceConfig(**settings))


def test_missing_demo_weights_say_how_to_get_them(monkeypatch, tmp_path):
    monkeypatch.setattr(
        "mot_dinov3.perception.assets.demo_detector_path", lambda: tmp_path / "none.pt"
    )
    with pytest.raises(ModelError, match="demo detector's weights") as caught:
        create_detector(DetectorConfig(det="demo"), "cpu")
    assert "train demo" in caught.value.fix


def write_grid(path, batch, rank=4):
    """A detector whose four cells say how bright they are: a box of 32 px around the centre."""
    from onnx import TensorProto, helper, numpy_helper, save

    weight = np.zeros((5, 3, 32, 32), np.float32)
    weight[4] = 1 / (3 * 32 * 32)
    bias = np.array([32, 32, 32, 32, 0], np.float32)
    sizes = np.array([-1 if batch == "n" else batch, 5, 4], np.int64)
    nodes = [
        helper.make_node("Conv", ["images", "weight", "bias"], ["cells"], strides=[32, 32]),
        helper.make_node("Reshape", ["cells", "sizes"], ["output0"]),
    ]
    inputs = [("images", [batch, 3, 64, 64])]
    if rank != 4:
        nodes = [helper.make_node("Identity", ["images"], ["output0"])]
        inputs = [("images", [batch, 12])]
    graph = helper.make_graph(
        nodes, "grid",
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in inputs],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for array, name in
         ((weight, "weight"), (bias, "bias"), (sizes, "sizes"))],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    notes = {"names": "{0: 'lamp'}", "task": "detect", "stride": "32"}
    helper.set_model_props(model, notes)
    save(model, str(path))
    return path


@needs_onnx
@pytest.mark.parametrize("batch", [1, 4, 8, "n"])
def test_an_export_for_several_pictures_at_once_sees_one(tmp_path, caplog, monkeypatch, batch):
    pytest.importorskip("onnx")
    monkeypatch.setattr(logging.getLogger("mot_dinov3"), "propagate", True)
    model = write_grid(tmp_path / "grid.onnx", batch)
    detector = create_detector(DetectorConfig(det=str(model)), "cpu", DeviceConfig(backend="onnx"))
    found = detector.detect(Frame(0, 0.0, np.full((64, 64, 3), 204, np.uint8)))
    assert found.score.tolist() == pytest.approx([0.8], abs=1e-4)
    assert found.xyxy.tolist() == [[16, 16, 48, 48]]
    said = f"each frame is computed {batch} times"
    assert (said in caplog.text) == (batch in (4, 8))


@needs_onnx
def test_an_export_that_takes_no_pictures_says_so(tmp_path):
    pytest.importorskip("onnx")
    model = write_grid(tmp_path / "grid.onnx", 1, rank=2)
    with pytest.raises(ModelError, match=r"takes an input of shape \[1, 12\]; a detector takes"):
        create_detector(DetectorConfig(det=str(model)), "cpu", DeviceConfig(backend="onnx"))


@needs_onnx
def test_the_name_of_a_model_need_not_be_utf_8(tmp_path):
    pytest.importorskip("onnx")
    written = write_grid(tmp_path / "grid.onnx", 1)
    model = tmp_path / os.fsdecode(b"grid\xe9.onnx")
    try:
        written.rename(model)
    except (OSError, ValueError):
        pytest.skip("this file system takes no such name")
    detector = create_detector(DetectorConfig(det=str(model)), "cpu", DeviceConfig(backend="onnx"))
    found = detector.detect(Frame(0, 0.0, np.full((64, 64, 3), 204, np.uint8)))
    assert len(found) == 1


def test_cells_that_are_selected_where_the_network_runs_give_the_same_boxes(
    cache, picture, expected
):
    """As on a GPU, but for the device: the network's maps are never fetched."""
    detector = build(cache, backend="torch", precision="fp32")
    source, calls = detector._source, []
    source.selects = True
    source._network = source._place(neck=False)
    network = source._network
    source._network = lambda pixels: calls.append(network(pixels)) or calls[-1]
    for ours, theirs in zip(boxes(detector, picture), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    (table,) = calls[0]
    assert table.ndim == 2
    assert table.nbytes < 20_000
    assert detector.keep_neck()
    for ours, theirs in zip(boxes(detector, picture), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert len(detector.neck.maps) == 3


@pytest.mark.parametrize(
    ("installed", "says"),
    [(False, "TensorRT, which is not installed here"), (True, "which does not run on cpu")],
)
def test_an_engine_is_refused_where_nothing_runs_it(tmp_path, monkeypatch, installed, says):
    (tmp_path / "best.engine").write_bytes(b"an engine")
    monkeypatch.setattr(loading, "find_spec", lambda name: installed or None)
    with pytest.raises(ModelError, match=says) as caught:
        build(tmp_path, tmp_path / "best.engine")
    assert ".onnx file that it was made from" in caught.value.fix
