from __future__ import annotations

import builtins
import logging
from itertools import combinations

import numpy as np
import pytest

from helpers.places import ASSETS
from mot_dinov3.config import DeviceConfig, EmbedderConfig
from mot_dinov3.errors import ModelError, UsageError
from mot_dinov3.perception.backends.choice import Older
from mot_dinov3.perception.features.base import Placement
from mot_dinov3.perception.features.crops import IMAGENET_MEAN
from mot_dinov3.perception.features.factory import create_embedder
from mot_dinov3.perception.features.onnx import SMALL_BYTES, prefers_onnxruntime, spec_from_shape
from mot_dinov3.runtime.cpu import has_bf16
from mot_dinov3.runtime.upload import FrameUpload

OSNET = ASSETS / "weights" / "osnet_x0_25_msmt17.onnx"
BOXES = np.array([[10, 10, 60, 110], [100, 40, 160, 160], [np.nan, 0, 1, 1]], np.float32)


@pytest.fixture
def export(tmp_path):
    """Write a network that averages each colour of (batch, 3, h, w) pictures and adds one."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    from onnx import TensorProto, helper

    def write(shape, *, kind=TensorProto.FLOAT, axes=(2, 3), notes=(), inputs=1):
        given = [helper.make_tensor_value_info(f"in{i}", kind, shape) for i in range(inputs)]
        answer = helper.make_tensor_value_info("out", kind, None)
        one = helper.make_tensor("one", kind, [1], [1.0])
        nodes = [
            helper.make_node("ReduceMean", ["in0"], ["mean"], axes=list(axes), keepdims=0),
            helper.make_node("Add", ["mean", "one"], ["out"]),
        ]
        graph = helper.make_graph(nodes, "colours", given, [answer], [one])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        for key, value in dict(notes).items():
            model.metadata_props.add(key=key, value=value)
        path = tmp_path / "colours.onnx"
        onnx.save(model, path)
        return path

    return write


@pytest.fixture(params=["onnx", "openvino"])
def create(request):
    """Makes an embedder of a file, with each backend in turn."""
    pytest.importorskip({"onnx": "onnxruntime"}.get(request.param, request.param))

    def make(path, device="cpu", **config):
        return created(path, request.param, device, **config)

    make.title = {"onnx": "onnxruntime fp32", "openvino": "OpenVINO fp32"}[request.param]
    return make


def created(path, backend="onnx", device="cpu", precision="fp32", **config):
    settings = EmbedderConfig(embedder="onnx", embed_model=str(path), **config)
    run = DeviceConfig(backend=backend, precision=precision)
    return create_embedder(settings, Placement(device, run, FrameUpload(device)))


def test_a_network_becomes_an_embedder(create, export, picture):
    ours = create(export(["batch", 3, 64, 32]))
    assert (ours.dim, ours.device) == (3, "cpu")
    assert ours.title == f"colours.onnx 32x64 px, cpu, {create.title}"
    vectors = ours.embed(picture, BOXES)
    assert vectors.shape == (3, 3)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors[:2], axis=1), 1, atol=1e-6)
    assert np.isnan(vectors[2]).all()
    assert ours.embed(picture, BOXES[:0]).shape == (0, 3)


def test_a_vector_tells_the_colour_of_its_box(create, export):
    image = np.zeros((100, 200, 3), np.uint8)
    image[:, :100] = (255, 0, 0)
    image[:, 100:] = (0, 0, 255)
    boxes = np.array([[20, 20, 60, 80], [130, 20, 170, 80]], np.float32)
    notes = {"mean": "[0, 0, 0]", "std": "1 1 1"}
    blue, red = create(export(["batch", 3, 64, 32], notes=notes)).embed(image, boxes)
    np.testing.assert_allclose(blue, np.array([1, 1, 2]) / 6**0.5, atol=1e-6)
    np.testing.assert_allclose(red, np.array([2, 1, 1]) / 6**0.5, atol=1e-6)


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_a_fixed_batch_size_gives_the_same_vectors(create, export, picture, batch):
    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 150, (5, 2))
    boxes = np.hstack([corner, corner + rng.uniform(20, 80, (5, 2))]).astype(np.float32)
    free = create(export(["batch", 3, 64, 32])).embed(picture, boxes)
    fixed = create(export([batch, 3, 64, 32])).embed(picture, boxes)
    np.testing.assert_allclose(fixed, free, atol=1e-6)
    assert np.abs(np.diff(free, axis=0)).max() > 0.01


def test_half_precision_networks_get_half_precision_pictures(create, export, picture):
    from onnx import TensorProto

    half = create(export(["batch", 3, 64, 32], kind=TensorProto.FLOAT16)).embed(picture, BOXES)
    full = create(export(["batch", 3, 64, 32])).embed(picture, BOXES)
    assert half.dtype == np.float32
    np.testing.assert_allclose(half[:2], full[:2], atol=5e-3)


def test_square_crops_are_for_square_inputs(export):
    assert created(export(["batch", 3, 64, 64])).shape.square
    assert not created(export(["batch", 3, 64, 64]), crop_square=False).shape.square
    assert not created(export(["batch", 3, 64, 32])).shape.square


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ([1, 3, 256, 128], (256, 128)),
        (["b", 3, "h", "w"], (256, 128)),
        ([-1, 3, -1, -1], (256, 128)),
        (["b", 3, None, None], (256, 128)),
        (["b", 3, 224, "w"], (224, 224)),
    ],
)
def test_open_sizes_get_the_shape_of_a_person(shape, size):
    spec = spec_from_shape(shape, {})
    assert (spec.height, spec.width) == size
    assert spec.mean == IMAGENET_MEAN


@pytest.mark.parametrize(
    "text", ["[0.1, 0.2, 0.3]", "0.1, 0.2, 0.3", "0.1 0.2 0.3", "(0.1,0.2,0.3)"]
)
def test_metadata_overrides_the_mean(text):
    assert spec_from_shape([1, 3, 8, 8], {"mean": text}).mean == (0.1, 0.2, 0.3)


@pytest.mark.parametrize("text", ["grey", "[0.5]", "1 2 3 4", ""])
def test_metadata_that_is_not_three_numbers_is_refused(text):
    with pytest.raises(ModelError, match="where three numbers should be"):
        spec_from_shape([1, 3, 8, 8], {"std": text})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param({"shape": ["b", 64, 32, 3]}, "float (batch, 3, h, w)", id="NHWC"),
        pytest.param(
            {"shape": ["b", 3, 64], "axes": (2,)}, "float (batch, 3, h, w)", id="three axes"
        ),
        pytest.param({"shape": [1, 3, 8, 8], "inputs": 2}, "in1", id="two inputs"),
        pytest.param({"shape": [1, 3, 8, 8], "kind": 11}, "8]", id="doubles"),
        pytest.param({"shape": [1, 3, 8, 8], "axes": (0, 2, 3)}, "not with one vector", id="sums"),
    ],
)
def test_a_network_of_another_kind_is_refused(create, export, change, words):
    with pytest.raises(ModelError) as caught:
        create(export(**change))
    assert words in caught.value.what
    assert "colours.onnx" in caught.value.what


@pytest.mark.parametrize(
    ("small", "device", "settings", "expected"),
    [
        pytest.param(True, "cpu", {}, True, id="small"),
        pytest.param(False, "cpu", {}, False, id="large"),
        pytest.param(True, "cuda:0", {}, False, id="on a GPU"),
        pytest.param(True, "cpu", {"backend": "openvino"}, False, id="backend asked for"),
        pytest.param(True, "cpu", {"precision": "bf16"}, False, id="precision asked for"),
    ],
)
def test_small_networks_are_for_onnxruntime(tmp_path, small, device, settings, expected):
    pytest.importorskip("onnxruntime")
    path = tmp_path / "some.onnx"
    path.write_bytes(b"x" * (SMALL_BYTES - small))
    assert prefers_onnxruntime(path, DeviceConfig(**settings), None, device) == expected
    assert not prefers_onnxruntime(path, DeviceConfig(), Older("--embed-amp off", "fp32"), device)


def test_the_automatic_choice_for_a_small_network(export, picture):
    assert created(export(["b", 3, 64, 32]), "auto", precision="auto").title.endswith(
        "onnxruntime fp32"
    )


def test_int8_is_a_matter_of_the_file(export, caplog):
    with caplog.at_level(logging.WARNING):
        ours = created(export(["b", 3, 64, 32]), "auto", precision="int8")
    assert "'colours.onnx' keeps the numbers that are in it" in caplog.text
    assert ours.title.endswith("fp32")


def test_a_file_is_needed():
    with pytest.raises(UsageError, match="--embedder onnx needs a model file"):
        created("")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"none\.onnx' does not exist"):
        created(tmp_path / "none.onnx")
    with pytest.raises(ModelError, match="is a directory"):
        created(tmp_path)


@pytest.mark.parametrize("content", [b"", b"just words\n", b"\x08\x07garbage\xff" * 50])
def test_another_file_is_no_model(create, tmp_path, content, capfd):
    path = tmp_path / "words.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"'words\.onnx' is not a model that") as caught:
        create(path)
    assert len(caught.value.what.splitlines()) == 1
    assert capfd.readouterr() == ("", "")


def test_without_onnxruntime_the_message_says_what_to_install(tmp_path, monkeypatch):
    path = tmp_path / "some.onnx"
    path.write_bytes(b"x")
    real = builtins.__import__

    def without(name, *rest):
        if name == "onnxruntime":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ModelError, match="onnxruntime") as caught:
        created(path)
    assert "[onnx]" in caught.value.fix


def test_a_cpu_build_on_a_gpu_machine_says_so(export, caplog, monkeypatch):
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime has CUDA")
    monkeypatch.setattr("torch.cuda.get_device_capability", lambda device: (7, 5))
    with caplog.at_level(logging.WARNING):
        ours = created(export(["batch", 3, 64, 32]), device="cuda:0")
    assert ours.device == "cpu"
    assert "runs on the CPU" in caplog.text


def visible_people(sequence):
    """(frame, identity, xyxy) of people of whom more than half can be seen."""
    for line in (sequence / "gt" / "gt.txt").read_text().splitlines():
        frame, identity, x, y, w, h, flag, kind, seen = (float(v) for v in line.split(",")[:9])
        if flag == 1 and kind == 1 and seen > 0.5:
            yield int(frame), int(identity), (x - 1, y - 1, x + w - 1, y + h - 1)


def similarities(embedder, sequence):
    """Cosines of crops of the same person, and of different people, within a sequence."""
    import cv2

    people = list(visible_people(sequence))
    vectors, names = [], []
    for frame in sorted({person[0] for person in people}):
        image = cv2.imread(str(sequence / "img1" / f"{frame:06d}.jpg"))
        here = [person for person in people if person[0] == frame]
        vectors.append(embedder.embed(image, np.array([p[2] for p in here], np.float32)))
        names += [person[1] for person in here]
    cosine = np.concatenate(vectors) @ np.concatenate(vectors).T
    same, different = [], []
    for i, j in combinations(range(len(names)), 2):
        (same if names[i] == names[j] else different).append(cosine[i, j])
    return same, different


@pytest.mark.skipif(not OSNET.is_file(), reason="the shared assets are not here")
@pytest.mark.parametrize(("backend", "precision"), [("onnx", "fp32"), ("openvino", "bf16")])
def test_a_real_network_tells_people_apart(backend, precision):
    pytest.importorskip({"onnx": "onnxruntime"}.get(backend, backend))
    if precision == "bf16" and not has_bf16():
        pytest.skip("this CPU has no bf16")
    embedder = created(OSNET, backend, precision=precision, crop_pad=0.0)
    spec = embedder.shape.spec
    assert (embedder.dim, spec.height, spec.width) == (512, 256, 128)
    same, different = [], []
    for sequence in sorted((ASSETS / "mot17-mini").glob("MOT17-*")):
        for total, found in zip((same, different), similarities(embedder, sequence), strict=True):
            total.extend(found)
    assert (len(same), len(different)) == (1352, 30245)
    order = np.argsort(np.argsort(np.concatenate([same, different]))) + 1
    wins = order[: len(same)].sum() - len(same) * (len(same) + 1) / 2
    area_under_curve = wins / (len(same) * len(different))
    assert area_under_curve > 0.9992
    assert np.mean(same) == pytest.approx(0.915, abs=0.01)
    assert np.mean(different) == pytest.approx(0.459, abs=0.02)
