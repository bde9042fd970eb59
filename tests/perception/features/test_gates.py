from __future__ import annotations

import pytest

from mot_dinov3.config import EmbedderConfig
from mot_dinov3.io.checkpoint import CheckpointConfig, ModelCheckpoint, save_checkpoint
from mot_dinov3.perception.features import gates
from mot_dinov3.perception.features.base import RE_IDENTIFICATION
from mot_dinov3.perception.features.gates import GATE, build_prior
from mot_dinov3.perception.features.prior import find_prior


@pytest.mark.parametrize("gate", [0.62, "0.62", -0.3])
def test_a_gate_that_a_model_brings_is_trusted(gate):
    prior = build_prior(gate)
    assert (prior.gate, prior.trusted) == (float(gate), True)


@pytest.mark.parametrize("gate", [None, "high", "nan", "inf", 1.0, -1.5, "", [0.6]])
def test_what_is_not_a_cosine_leaves_the_usual_one(gate):
    assert build_prior(gate) is RE_IDENTIFICATION


@pytest.mark.parametrize(("thresholds", "gate"), [({GATE: 0.71}, 0.71), ({}, None)])
def test_the_gate_of_a_checkpoint_is_that_of_its_embedder(tmp_path, thresholds, gate):
    config = CheckpointConfig("reid", thresholds=thresholds)
    save_checkpoint(tmp_path / "best", ModelCheckpoint(config, {}, {}))
    prior = find_prior(EmbedderConfig(embedder="reid", embed_model=str(tmp_path)))
    assert prior.gate == (gate or RE_IDENTIFICATION.gate)


def write(path, notes):
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper

    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [value], [])
    model = helper.make_model(graph)
    helper.set_model_props(model, notes)
    onnx.save(model, str(path))


@pytest.mark.parametrize(
    ("notes", "gate"), [({GATE: "0.55"}, 0.55), ({GATE: "wide"}, None), ({}, None)]
)
def test_the_gate_in_the_notes_of_a_file_is_that_of_its_embedder(tmp_path, notes, gate):
    write(tmp_path / "a.onnx", notes)
    prior = find_prior(EmbedderConfig(embedder="onnx", embed_model=str(tmp_path / "a.onnx")))
    assert prior.gate == (gate or RE_IDENTIFICATION.gate)


def test_a_file_that_is_damaged_large_or_missing_is_not_asked(tmp_path, monkeypatch):
    path = tmp_path / "a.onnx"
    config = EmbedderConfig(embedder="onnx", embed_model=str(path))
    assert find_prior(config) is RE_IDENTIFICATION
    path.write_bytes(b"nonsense")
    assert find_prior(config) is RE_IDENTIFICATION
    write(path, {GATE: "0.55"})
    monkeypatch.setattr(gates, "MOST_BYTES", path.stat().st_size - 1)
    assert find_prior(config) is RE_IDENTIFICATION
