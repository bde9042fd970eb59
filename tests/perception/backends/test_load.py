"""Exported files in both backends: the same numbers, their notes, and errors in words."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import mot_dinov3
from mot_dinov3.errors import DeviceFullError, ModelError
from mot_dinov3.perception.backends.cache import ExportKey
from mot_dinov3.perception.backends.choice import Choice
from mot_dinov3.perception.backends.load import load_network, open_export
from mot_dinov3.perception.backends.openvino_setup import import_openvino, openvino_core
from mot_dinov3.perception.backends.problems import describe_run_problem, reason

BACKENDS = [Choice("onnx", "fp32"), Choice("openvino", "fp32"), Choice("openvino", "bf16")]
IDS = ["onnxruntime", "openvino fp32", "openvino bf16"]


def write(path, shape=(1, 3, 4, 6), **notes):
    """A model with two outputs: twice the pixels, and their sum per picture."""
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper

    nodes = [
        helper.make_node("Add", ["pixels", "pixels"], ["twice"]),
        helper.make_node("ReduceSum", ["pixels", "axes"], ["sum"], keepdims=0),
    ]
    axes = helper.make_tensor("axes", TensorProto.INT64, [3], [1, 2, 3])
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, shape)],
        [
            helper.make_tensor_value_info("twice", TensorProto.FLOAT, shape),
            helper.make_tensor_value_info("sum", TensorProto.FLOAT, [shape[0]]),
        ],
        [axes],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(model, notes)
    onnx.save(model, str(path))
    return path


def load(path, choice):
    package = "openvino" if choice.backend == "openvino" else "onnxruntime"
    if find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    return load_network(path, choice, "cpu")


@pytest.mark.parametrize("choice", BACKENDS, ids=IDS)
def test_every_output_comes_in_order_and_is_the_callers_own(tmp_path, choice):
    network = load(write(tmp_path / "net.onnx"), choice)
    assert (network.title, network.precision) == (choice.title, choice.precision)
    ones = np.ones((1, 3, 4, 6), np.float32)
    twice, total = network(ones)
    np.testing.assert_allclose(twice, 2 * ones)
    assert total.tolist() == [72.0]
    assert twice.dtype == total.dtype == np.float32
    network(5 * ones)
    assert twice[0, 0, 0, 0] == 2
    assert (ones == 1).all()


@pytest.mark.parametrize("choice", BACKENDS[:2], ids=IDS[:2])
def test_a_file_tells_its_shape_and_its_notes(tmp_path, choice):
    network = load(write(tmp_path / "net.onnx", ("n", 3, 4, "w"), names="{0: 'a'}"), choice)
    assert network.inputs == [[-1, 3, 4, -1]]
    assert network.metadata["names"] == "{0: 'a'}"
    assert network.device == "cpu"
    assert network(np.ones((2, 3, 4, 5), np.float32))[1].tolist() == [60.0, 60.0]


@pytest.mark.parametrize("choice", BACKENDS[:2], ids=IDS[:2])
def test_what_is_no_model_is_refused(tmp_path, choice):
    (tmp_path / "net.onnx").write_bytes(b"nonsense")
    with pytest.raises(ModelError, match=r"'net\.onnx' is not a model that") as caught:
        load(tmp_path / "net.onnx", choice)
    assert "--backend torch" in caught.value.fix


@pytest.mark.parametrize("choice", BACKENDS[:2], ids=IDS[:2])
def test_an_input_of_the_wrong_size_is_told(tmp_path, choice):
    network = load(write(tmp_path / "net.onnx"), choice)
    with pytest.raises(ModelError, match=r"'net\.onnx' failed with"):
        network(np.ones((1, 3, 8, 8), np.float32))


@pytest.mark.parametrize("choice", BACKENDS, ids=IDS)
def test_an_export_is_made_once_and_then_found(tmp_path, choice):
    load(write(tmp_path / "given.onnx"), choice)
    made = []

    def export(path):
        made.append(path.name)
        if choice.backend == "onnx":
            write(path)
            return
        openvino = import_openvino()
        model = openvino_core().read_model(str(tmp_path / "given.onnx"))
        openvino.save_model(model, str(path), compress_to_fp16=False)

    key = ExportKey("net", "abc", choice, (4, 6))
    for _ in range(2):
        with open_export(key, export, tmp_path / "cache") as path:
            network = load_network(path, choice, "cpu")
        assert network(np.ones((1, 3, 4, 6), np.float32))[1].tolist() == [72.0]
    assert made == ["model.onnx" if choice.backend == "onnx" else "model.xml"]


def test_notes_beside_an_export_are_there_even_where_it_cannot_be_kept(tmp_path, caplog):
    (tmp_path / "file").write_bytes(b"")

    def export(path):
        path.write_text("model")
        path.with_name("notes").write_text("of it")

    key = ExportKey("net", "abc", BACKENDS[0], (4, 6))
    for place in (tmp_path / "cache", tmp_path / "cache", tmp_path / "file"):
        with open_export(key, export, place) as path:
            assert path.read_text() == "model"
            assert path.with_name("notes").read_text() == "of it"
        assert path.exists() is (place.name == "cache")
    assert caplog.text.count("they serve this run only") == 1


QUIET = """
import sys
sys.path.insert(0, sys.argv[1])
from mot_dinov3.perception.backends.openvino_setup import import_openvino, openvino_core
import_openvino()
from openvino.tools.ovc import telemetry_utils
assert telemetry_utils.tm.__name__ == "openvino.tools.ovc.telemetry_stub"
"""


@pytest.mark.skipif(find_spec("openvino") is None, reason="OpenVINO is not installed")
def test_openvino_reports_nothing():
    """In a process of its own: what is asked is about its first import of OpenVINO."""
    source = Path(mot_dinov3.__file__).parents[1]
    subprocess.run([sys.executable, "-c", QUIET, source], check=True, timeout=60)


HEARD = """
import os, signal, sys
from pathlib import Path
sys.path[:0] = sys.argv[1:3]
from test_load import Choice, test_an_export_is_made_once_and_then_found as make
make(Path(sys.argv[3]), Choice("openvino", "fp32"))
signal.signal(signal.SIGINT, lambda *_: print("heard"))
os.kill(os.getpid(), signal.SIGINT)
"""


@pytest.mark.skipif(find_spec("openvino") is None, reason="OpenVINO is not installed")
def test_a_signal_is_heard_after_networks_came_and_went(tmp_path):
    """In a process of its own: what is asked is about the first networks of OpenVINO."""
    places = [Path(mot_dinov3.__file__).parents[1], Path(__file__).parent, tmp_path]
    words = [sys.executable, "-c", HEARD, *map(str, places)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.strip()) == (0, "heard")


@pytest.mark.parametrize(
    "said",
    [
        "CUDA out of memory. Tried to allocate 2 GiB",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
        "FIND was unable to find an engine to execute this computation",
    ],
)
def test_memory_is_told_from_other_failures(said):
    full = describe_run_problem("net", "torch fp16", "cuda:0", RuntimeError(said))
    assert isinstance(full, DeviceFullError)
    other = describe_run_problem("net", "torch fp16", "cuda:0", RuntimeError("shapes differ."))
    assert isinstance(other, ModelError)
    assert "shapes differ)" in other.what


def test_the_telling_line_is_found_below_the_place_in_the_source():
    text = "Exception from src/core.cpp:1:\nCheck 'x' failed at y.cpp:3:\nUnable to read:\n"
    assert reason(RuntimeError(text)) == "Unable to read"
    assert reason(RuntimeError("")) == "no reason was given"


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
@pytest.mark.parametrize("name", ["net.onnx", "net.xml", "net.bin", "net_model/net.xml"])
def test_a_model_that_never_ends_is_not_read(tmp_path, make, name):
    (tmp_path / "net_model").mkdir()
    make(tmp_path / name)
    path = tmp_path / name
    if name == "net.bin":
        (path := tmp_path / "net.xml").write_text("<net/>")
    for given in (path, path.parent) if "/" in name else (path,):
        with pytest.raises(ModelError, match="not a regular file"):
            load_network(given, BACKENDS[1], "cpu")


def test_a_description_of_no_sane_size_is_not_read(tmp_path):
    with (tmp_path / "net.xml").open("wb") as file:
        file.truncate(1 << 40)
    for given in (tmp_path, tmp_path / "net.xml"):
        with pytest.raises(ModelError, match="too large to describe"):
            load_network(given, BACKENDS[1], "cpu")


@pytest.mark.skipif(find_spec("openvino") is None, reason="OpenVINO is not installed")
def test_a_signal_ends_the_reading_of_a_model(tmp_path, monkeypatch):
    from mot_dinov3.perception.backends import openvino
    from mot_dinov3.runtime import interruption

    heard = []

    def read(path):
        heard.extend(work.name for work, _ in interruption._running.values())
        raise ValueError("that is enough")

    monkeypatch.setattr(openvino, "_read", read)
    with pytest.raises(ModelError, match="that is enough"):
        load_network(write(tmp_path / "net.onnx"), BACKENDS[1], "cpu")
    assert heard == ["net.onnx"]
