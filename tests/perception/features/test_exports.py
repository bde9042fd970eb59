from __future__ import annotations

import json
import logging
import shutil
import subprocess
import sys
from dataclasses import asdict

import numpy as np
import pytest

from mot_dinov3.config import DeviceConfig, EmbedderConfig
from mot_dinov3.errors import ModelError, UsageError
from mot_dinov3.perception.backends.choice import Older
from mot_dinov3.perception.features.base import Placement
from mot_dinov3.perception.features.crops import InputSpec
from mot_dinov3.perception.features.exports import (
    avoid_emulation,
    older_flag,
    spec_from_json,
)
from mot_dinov3.perception.features.factory import create_embedder
from mot_dinov3.runtime.cpu import has_bf16

BOXES = np.array(
    [[10, 10, 60, 110], [100, 40, 160, 160], [200, 20, 260, 140], [5, 150, 45, 230]], np.float32
)
WAYS = [
    ("torch", "bf16"),
    ("openvino", "fp32"),
    ("openvino", "bf16"),
    ("onnx", "fp32"),
]
"""Every backend and precision of a CPU, beside the one that they are compared with."""
MODELS = [
    ("dino", "demo"),
    pytest.param("dino", "dinov2", marks=pytest.mark.slow),
    ("dino", "dinov3"),
    pytest.param("dino", "convnext", marks=pytest.mark.slow),
    pytest.param("clip", "clip", marks=pytest.mark.slow),
    pytest.param("resnet", "resnet", marks=pytest.mark.slow),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("exports")


def create(model, backend, precision, place, embedder="dino", **more):
    config = EmbedderConfig(embedder=embedder, embed_model=str(model), **more)
    run = DeviceConfig(backend=backend, precision=precision, export_cache=str(place))
    return create_embedder(config, Placement("cpu", run))


def need(backend, precision="fp32"):
    package = {"onnx": "onnxruntime"}.get(backend, backend)
    pytest.importorskip(package)
    if backend == "onnx":
        pytest.importorskip("onnx")
    if (backend, precision) == ("openvino", "bf16") and not has_bf16():
        pytest.skip("this CPU has no bf16")


@pytest.mark.parametrize("way", WAYS, ids=" ".join)
@pytest.mark.parametrize(("embedder", "name"), MODELS)
def test_every_backend_gives_the_same_embeddings(models, picture, place, embedder, name, way):
    backend, precision = way
    need(backend, precision)
    model = name if name == "demo" else models / name
    exact = create(model, "torch", "fp32", place, embedder).embed(picture, BOXES)
    ours = create(model, backend, precision, place, embedder)
    vectors = ours.embed(picture, BOXES)
    cosine = (vectors * exact).sum(axis=1)
    assert cosine.min() >= (0.999999 if precision == "fp32" else 0.999)
    assert ours.title.endswith(precision)
    np.testing.assert_allclose(vectors[:1], ours.embed(picture, BOXES[:1]), atol=2e-2)


@pytest.mark.parametrize("backend", ["openvino", "onnx"])
def test_what_was_exported_is_found_again_without_torch(models, tmp_path, caplog, backend):
    need(backend)
    with caplog.at_level(logging.WARNING):
        create(models / "dinov2", backend, "fp32", tmp_path)
        assert "Exporting" in caplog.text
        caplog.clear()
        create(models / "dinov2", backend, "fp32", tmp_path)
        assert not caplog.text
    script = f"""
import sys
from mot_dinov3.config import DeviceConfig, EmbedderConfig
from mot_dinov3.runtime.device import choose_device
from mot_dinov3.perception.features.base import Placement
from mot_dinov3.perception.features.factory import create_embedder
config = EmbedderConfig(embed_model={str(models / "dinov2")!r})
run = DeviceConfig(device="cpu", backend={backend!r}, export_cache={str(tmp_path)!r})
embedder = create_embedder(config, Placement(choose_device(run.name), run))
print(embedder.dim, *(name for name in ("torch", "transformers") if name in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("32", "")


def test_other_weights_are_another_export(models, picture, tmp_path):
    need("openvino")
    other = tmp_path / "other"
    shutil.copytree(models / "dinov2", other)
    settings = json.loads((other / "preprocessor_config.json").read_text())
    settings["image_mean"] = [0.9, 0.1, 0.9]
    (other / "preprocessor_config.json").write_text(json.dumps(settings))
    place = tmp_path / "exports"
    one = create(models / "dinov2", "openvino", "fp32", place)
    two = create(other, "openvino", "fp32", place)
    assert (one.shape.spec.mean, two.shape.spec.mean) == ((0.5, 0.4, 0.3), (0.9, 0.1, 0.9))
    assert len(list(place.iterdir())) == 2


def test_the_same_weights_in_another_place_are_the_same_export(models, tmp_path):
    need("openvino")
    place = tmp_path / "exports"
    shutil.copytree(models / "dinov2", tmp_path / "moved" / "dinov2")
    create(models / "dinov2", "openvino", "fp32", place)
    create(tmp_path / "moved" / "dinov2", "openvino", "fp32", place)
    assert len(list(place.iterdir())) == 1


def test_a_damaged_export_is_made_again(models, picture, tmp_path, caplog):
    need("openvino")
    before = create(models / "dinov2", "openvino", "fp32", tmp_path).embed(picture, BOXES)
    entry = next(tmp_path.iterdir())
    (entry / "model.bin").write_bytes(b"half of it")
    with caplog.at_level(logging.WARNING):
        after = create(models / "dinov2", "openvino", "fp32", tmp_path).embed(picture, BOXES)
    assert "is damaged and is made again" in caplog.text
    np.testing.assert_allclose(after, before, atol=1e-6)


def test_int8_is_near_the_exact_answer_and_warns(models, picture, tmp_path, caplog):
    need("onnx")
    exact = create(models / "dinov2", "torch", "fp32", tmp_path).embed(picture, BOXES)
    with caplog.at_level(logging.WARNING):
        ours = create(models / "dinov2", "auto", "int8", tmp_path)
    assert "int8 embeddings differ from exact ones" in caplog.text
    assert ours.title.endswith("onnxruntime int8")
    cosine = (ours.embed(picture, BOXES) * exact).sum(axis=1)
    assert 0.98 < cosine.min() < 0.9999999


def test_int8_where_it_gains_nothing_is_refused(models, tmp_path):
    need("onnx")
    with pytest.raises(UsageError, match="int8 of an embedder needs onnxruntime, not --backend"):
        create(models / "dinov2", "openvino", "int8", tmp_path)
    with pytest.raises(ModelError, match="no matrix products to make int8") as caught:
        create(models / "resnet", "onnx", "int8", tmp_path, "resnet")
    assert "--backend torch" in caught.value.fix


def test_a_model_that_cannot_be_exported_says_which_and_what_to_do(models, tmp_path, monkeypatch):
    need("openvino")
    import openvino

    def fail(*given, **named):
        raise RuntimeError("No conversion rule for aten::magic")

    monkeypatch.setattr(openvino, "convert_model", fail)
    with pytest.raises(ModelError, match=r"cannot be exported for OpenVINO \(No conversion rule"):
        create(models / "dinov2", "openvino", "fp32", tmp_path)
    assert not any(tmp_path.iterdir())


def test_an_older_flag_is_a_precision():
    assert older_flag(EmbedderConfig()) is None
    assert older_flag(EmbedderConfig(embed_amp="off")).precision == "fp32"
    assert older_flag(EmbedderConfig(embed_amp="bf16")).precision == "bf16"
    assert older_flag(EmbedderConfig(embed_amp="fp16")).flag == "--embed-amp fp16"


def test_older_and_newer_flag_must_agree(models, tmp_path):
    with pytest.raises(UsageError, match="--embed-amp bf16 means bf16, but --precision asks for"):
        create(models / "dinov2", "torch", "fp32", tmp_path, embed_amp="bf16")


def test_what_a_model_wants_to_see_survives_json():
    spec = InputSpec(224, 112, mean=(0.1, 0.2, 0.3), rescale=0.5, bicubic=True)
    assert spec_from_json(json.loads(json.dumps(asdict(spec)))) == spec


@pytest.mark.parametrize("flags", [{"embed_amp": "fp16"}, {"precision": "fp16"}])
def test_fp16_on_a_cpu_is_replaced_and_that_is_said(place, caplog, monkeypatch, flags):
    monkeypatch.setattr(logging.getLogger("mot_dinov3"), "propagate", True)
    precision = flags.pop("precision", "auto")
    embedder = create("demo", "torch", precision, place, **flags)
    assert embedder.title.endswith(("torch fp32", "torch bf16"))
    name = "--embed-amp fp16" if flags else "--precision fp16"
    assert f"{name} is many times slower than fp32 on a CPU" in caplog.text


def test_fp16_stays_on_a_gpu():
    run, older = DeviceConfig(), Older("--embed-amp fp16", "fp16")
    assert avoid_emulation(run, "cuda:0", older) == (run, older)
    assert avoid_emulation(run, "cpu", Older("--embed-amp bf16", "bf16"))[1] is not None
