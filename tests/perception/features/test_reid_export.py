"""A run as an ONNX file that answers alike, for every batch size, with its gate in the notes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from helpers.drawn_crops import draw_crops
from helpers.reid_runs import write_run
from helpers.tiny_backbone import TABLE_ROW
from mot_dinov3.config import DeviceConfig, EmbedderConfig
from mot_dinov3.errors import ModelError
from mot_dinov3.nets.reid.factory import BACKBONES
from mot_dinov3.perception.features import reid_export
from mot_dinov3.perception.features.base import Placement
from mot_dinov3.perception.features.factory import create_embedder
from mot_dinov3.perception.features.prior import find_prior
from mot_dinov3.perception.features.reid_export import BATCHES, export_run

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setitem(BACKBONES.table, "tiny", TABLE_ROW)


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize("backbone", ["tiny", "osnet_x0_25"])
def test_both_answer_alike_at_every_batch_size(tmp_path, backbone):
    network = write_run(tmp_path / "run", backbone)
    path = tmp_path / "reid.onnx"
    parity = export_run(tmp_path / "run", path, [], int8=False)
    assert parity.largest < 1e-5
    assert parity.cosine == pytest.approx(1, abs=1e-5)
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    assert BATCHES == (1, 3, 16)
    for size in BATCHES:
        pixels = np.random.default_rng(size).normal(size=(size, 3, 64, 32)).astype(np.float32)
        theirs = session.run(None, {"pixels": pixels})[0]
        with torch.no_grad():
            ours = network(torch.from_numpy(pixels)).numpy()
        assert len(theirs) == size
        np.testing.assert_allclose(unit(theirs), unit(ours), atol=1e-3)


def test_the_file_is_an_embedder_with_the_gate_and_the_answers_of_the_run(tmp_path, picture):
    write_run(tmp_path / "run", gate=0.58)
    path = tmp_path / "reid.onnx"
    export_run(tmp_path / "run", path, [], int8=False)
    prior = find_prior(EmbedderConfig(embedder="onnx", embed_model=str(path)))
    assert (prior.gate, prior.trusted) == (0.58, True)
    boxes = np.array([[10, 10, 60, 110], [100, 40, 160, 160]], np.float32)
    vectors = []
    for name, model in (("reid", tmp_path / "run"), ("onnx", path)):
        config = EmbedderConfig(embedder=name, embed_model=str(model))
        run = DeviceConfig(backend="torch" if name == "reid" else "onnx", precision="fp32")
        vectors.append(create_embedder(config, Placement("cpu", run)).embed(picture, boxes))
    np.testing.assert_allclose(*vectors, atol=1e-4)


def test_a_run_without_a_gate_makes_a_file_without_one(tmp_path):
    write_run(tmp_path / "run", gate=None)
    export_run(tmp_path / "run", tmp_path / "reid.onnx", [], int8=False)
    notes = {note.key for note in onnx.load(str(tmp_path / "reid.onnx")).metadata_props}
    assert notes == {"mean", "std"}


def test_int8_numbers_are_scaled_by_the_pictures_shown(tmp_path):
    write_run(tmp_path / "run")
    crops = sorted(draw_crops(tmp_path / "crops", 3, shots=2).iterdir())
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"nonsense")
    path = tmp_path / "reid.onnx"
    parity = export_run(tmp_path / "run", path, [broken, *crops], int8=True)
    assert 0.95 < parity.cosine < 1
    kinds = {one.data_type for one in onnx.load(str(path)).graph.initializer}
    assert onnx.TensorProto.INT8 in kinds
    assert {p.name for p in tmp_path.iterdir()} == {"run", "crops", "broken.png", "reid.onnx"}
    with pytest.raises(ModelError, match="None of the pictures"):
        export_run(tmp_path / "run", path, [broken], int8=True)


@pytest.mark.parametrize(
    ("name", "value", "int8"), [("MOST_APART", 0.0, False), ("LEAST_ALIKE", 1.1, True)]
)
def test_a_file_that_answers_otherwise_is_refused(tmp_path, monkeypatch, name, value, int8):
    write_run(tmp_path / "run")
    crop = tmp_path / "crop.png"
    cv2.imwrite(str(crop), np.random.default_rng(0).integers(0, 255, (70, 30, 3), np.uint8))
    monkeypatch.setattr(reid_export, name, value)
    with pytest.raises(ModelError, match="answers otherwise"):
        export_run(tmp_path / "run", tmp_path / "reid.onnx", [crop], int8=int8)
