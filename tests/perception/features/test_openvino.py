from __future__ import annotations

import builtins
import logging

import cv2
import numpy as np
import pytest

from helpers.places import ASSETS
from mot_dinov3.config import DeviceConfig, EmbedderConfig
from mot_dinov3.errors import ModelError, UsageError
from mot_dinov3.perception.features.base import Placement
from mot_dinov3.perception.features.crops import IMAGENET_MEAN
from mot_dinov3.perception.features.factory import create_embedder
from mot_dinov3.perception.features.openvino import read_spec, takes_bgr

WEIGHTS = ASSETS / "weights"
RETAIL = WEIGHTS / "person-reidentification-retail-0287.xml"
ZOO = {
    "mean_values": "data[123.675,116.28,103.53]",
    "scale_values": "data[58.395,57.12,57.375]",
    "reverse_input_channels": "True",
    "framework": "onnx",
}
BOXES = np.array([[20, 20, 60, 80], [130, 20, 170, 80]], np.float32)


@pytest.fixture
def export(tmp_path):
    """Write a network that averages each colour of (batch, 3, h, w) pictures."""
    openvino = pytest.importorskip("openvino")
    from openvino import opset13 as ops

    def write(shape, notes=(), fold=None, axes=(2, 3)):
        given = ops.parameter(openvino.PartialShape(shape), np.float32, name="data")
        answer = ops.reduce_mean(given, np.array(axes), keep_dims=False)
        if fold is not None:
            answer = ops.reshape(answer, np.array(fold), special_zero=False)
        model = openvino.Model([answer], [given])
        for name, value in dict(notes).items():
            model.set_rt_info(value, ["conversion_parameters", name])
        path = tmp_path / "colours.xml"
        openvino.save_model(model, path, compress_to_fp16=False)
        return path

    return write


def created(path, device="cpu", **run):
    config = DeviceConfig(**{"precision": "fp32", **run})
    settings = EmbedderConfig(embedder="openvino", embed_model=str(path), crop_pad=0.0)
    return create_embedder(settings, Placement(device, config))


@pytest.fixture
def blue_and_red():
    image = np.zeros((100, 200, 3), np.uint8)
    image[:, :100] = (200, 100, 0)
    image[:, 100:] = (0, 100, 200)
    return image


def unit(vector):
    return np.array(vector) / np.linalg.norm(vector)


def test_a_model_that_normalises_itself_sees_bgr_from_0_to_255(export, blue_and_red):
    ours = created(export([1, 3, 64, 32], ZOO))
    assert (ours.dim, ours.device) == (3, "cpu")
    assert ours.title == "colours.xml 32x64 px, cpu, OpenVINO fp32"
    blue, red = ours.embed(blue_and_red, BOXES)
    np.testing.assert_allclose(blue, unit([200, 100, 0]), atol=1e-6)
    np.testing.assert_allclose(red, unit([0, 100, 200]), atol=1e-6)
    windows = ours.shape.windows(BOXES, (200, 100))
    answer = ours._network(ours._cut(blue_and_red, windows))[0]
    np.testing.assert_allclose(answer[0], [200, 100, 0], atol=1e-3)


def test_a_model_without_notes_sees_rgb_as_imagenet_models_do(export, blue_and_red):
    blue, _ = created(export([1, 3, 64, 32])).embed(blue_and_red, BOXES)
    seen = (np.array([0, 100, 200]) / 255 - IMAGENET_MEAN) / (0.229, 0.224, 0.225)
    np.testing.assert_allclose(blue, unit(seen), atol=1e-5)


@pytest.mark.parametrize(
    ("notes", "raw", "bgr"),
    [
        pytest.param(ZOO, True, True, id="the zoo's"),
        pytest.param(
            {"mean_values": "data[104.0,117.0,123.0]", "framework": "caffe"}, True, True, id="caffe"
        ),
        pytest.param({"scale": "255", "framework": "onnx"}, True, False, id="one scale"),
        pytest.param({"mean_values": "()", "scale_values": "[]"}, False, False, id="unset"),
        pytest.param({"reverse_input_channels": "True"}, False, True, id="reversed alone"),
        pytest.param({"reverse_input_channels": "False"}, False, False, id="not reversed"),
        pytest.param({"input_shape": "[1,3,8,8]"}, False, False, id="other notes"),
    ],
)
def test_the_converters_notes_say_what_the_model_sees(notes, raw, bgr):
    spec = read_spec([1, 3, 256, 128], notes)
    assert (spec.height, spec.width) == (256, 128)
    assert (spec.rescale == 1.0, spec.mean == (0, 0, 0), spec.std == (1, 1, 1)) == (raw,) * 3
    assert takes_bgr(notes) == bgr


def test_the_batch_is_opened(export, picture):
    boxes = np.repeat(BOXES, 3, axis=0) + np.arange(6, dtype=np.float32)[:, None]
    ours = created(export([1, 3, 64, 32], ZOO))
    asked = []
    inner = ours._network
    ours._network = lambda pixels: asked.append(len(pixels)) or inner(pixels)
    together = ours.embed(picture, boxes)
    assert asked == [6]
    alone = np.concatenate([ours.embed(picture, box[None]) for box in boxes])
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_a_batch_size_written_into_the_layers_is_kept(export, picture):
    boxes = np.repeat(BOXES, 3, axis=0) + np.arange(6, dtype=np.float32)[:, None]
    free = created(export([1, 3, 64, 32], ZOO)).embed(picture, boxes)
    kept = created(export([1, 3, 64, 32], ZOO, fold=(1, 3))).embed(picture, boxes)
    np.testing.assert_allclose(kept, free, atol=1e-6)


def test_both_files_make_the_fingerprint(export):
    path = export([1, 3, 64, 32])
    before = created(path).fingerprint
    weights = path.with_suffix(".bin")
    weights.write_bytes(weights.read_bytes() + b"\0")
    changed = created(path).fingerprint
    path.write_text(path.read_text() + "\n")
    assert len({before, changed, created(path).fingerprint}) == 3


def test_a_detector_is_not_an_embedder(export):
    with pytest.raises(
        ModelError, match=r"'colours.xml' answers with .*not with one vec"
    ) as caught:
        created(export([1, 3, 64, 32], axes=(0,)))
    assert "--det" in caught.value.fix


@pytest.mark.skipif(not WEIGHTS.is_dir(), reason="the shared assets are not here")
def test_a_real_detector_is_not_an_embedder():
    pytest.importorskip("openvino")
    with pytest.raises(ModelError, match="not with one vector a picture"):
        created(WEIGHTS / "pedestrian-detection-adas-0002.xml")


@pytest.mark.parametrize("lost", [".bin", ".xml"])
def test_both_files_are_needed(export, lost):
    path = export([1, 3, 64, 32])
    path.with_suffix(lost).unlink()
    with pytest.raises(ModelError, match=rf"lacks the file 'colours\{lost}'") as caught:
        created(path)
    assert "side by side" in caught.value.fix


@pytest.mark.parametrize("name", ["", "some.onnx", "."])
def test_an_xml_file_is_needed(name):
    with pytest.raises(UsageError, match=r"--embedder openvino needs an \.xml file"):
        created(name)


def test_another_xml_file_is_no_model(tmp_path):
    pytest.importorskip("openvino")
    path = tmp_path / "words.xml"
    path.write_text("<words/>")
    path.with_suffix(".bin").write_bytes(b"")
    with pytest.raises(ModelError, match=r"'words\.xml' is not a model that") as caught:
        created(path)
    assert len(caught.value.what.splitlines()) == 1


def test_an_onnx_embedder_says_who_reads_openvino(tmp_path):
    path = tmp_path / "model.xml"
    path.write_text("<net/>")
    with pytest.raises(UsageError, match=r"'model\.xml' is not an ONNX file") as caught:
        create_embedder(EmbedderConfig(embedder="onnx", embed_model=str(path)), Placement("cpu"))
    assert "--embedder openvino" in caught.value.fix


def test_other_backends_do_not_run_it(export):
    with pytest.raises(UsageError, match="--backend torch cannot run this model"):
        created(export([1, 3, 64, 32]), backend="torch")


def test_on_a_gpu_machine_it_says_where_it_runs(export, caplog):
    with caplog.at_level(logging.WARNING):
        ours = created(export([1, 3, 64, 32]), device="cuda:0")
    assert ours.device == "cpu"
    assert "OpenVINO runs 'colours.xml' on the CPU" in caplog.text


def test_without_openvino_the_message_says_what_to_install(export, monkeypatch):
    path = export([1, 3, 64, 32])
    real = builtins.__import__
    from mot_dinov3.perception.backends import openvino_setup

    openvino_setup.openvino_core.cache_clear()

    def without(name, *rest):
        if name == "openvino":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ModelError, match="openvino") as caught:
        created(path)
    assert "[openvino]" in caught.value.fix


@pytest.mark.skipif(not RETAIL.is_file(), reason="the shared assets are not here")
def test_a_real_network_tells_people_apart():
    """Of 50 persons it finds 43 again; with red and blue exchanged it finds 37."""
    pytest.importorskip("openvino")
    embedder = created(RETAIL)
    assert (embedder.dim, embedder.shape.spec.height) == (256, 256)
    folder = ASSETS / "reid" / "cuhk03-labeled" / "query"
    first, second = {}, {}
    for file in sorted(folder.glob("*.jpg"))[:100]:
        image = cv2.imread(str(file))
        whole = np.array([[0, 0, image.shape[1], image.shape[0]]], np.float32)
        into = first if "_c1" in file.name else second
        into[file.name[:4]] = embedder.embed(image, whole)[0]
    people = sorted(first)
    cosine = np.stack([first[p] for p in people]) @ np.stack([second[p] for p in people]).T
    assert np.mean(cosine.argmax(axis=1) == np.arange(len(people))) > 0.8
