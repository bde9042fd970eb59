"""What a network begins with: files of the authors of a backbone, merged exports, runs, damage."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import normalize

from helpers.places import ASSETS
from helpers.tiny_backbone import TABLE_ROW
from mot_dinov3.errors import ModelError, UsageError
from mot_dinov3.io.checkpoint import CheckpointConfig, ModelCheckpoint, save_checkpoint
from mot_dinov3.nets.reid.factory import BACKBONES, build_network
from mot_dinov3.nets.reid.osnet import OSNet
from mot_dinov3.perception.features.exporting import write_onnx
from mot_dinov3.training.recipes.reid.starting import load_start

QUARTER = "osnet_x0_25"
REAL = ASSETS / "weights" / "osnet_x0_25_msmt17.onnx"


class Published(OSNet):
    """OSNet as its authors have it: one module with the pooling and the projection."""

    def __init__(self, width=0.25):
        super().__init__(width)
        self.global_avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Sequential(nn.Linear(self.channels, 512), nn.BatchNorm1d(512), nn.ReLU())

    def forward(self, pixels):
        return self.fc(self.global_avgpool(super().forward(pixels)).flatten(1))


@pytest.fixture(scope="module")
def published():
    """Random weights, and norms with moments and scales of their own."""
    torch.manual_seed(1)
    network = Published().eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d | nn.BatchNorm1d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.3, 0.5)
            nn.init.normal_(module.running_mean, std=0.2)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return network


@pytest.fixture(scope="module")
def merged(published, tmp_path_factory):
    """An ONNX file whose convolutions have swallowed their norms."""
    pytest.importorskip("onnx")
    path = tmp_path_factory.mktemp("osnet") / "osnet.onnx"
    write_onnx(published, (64, 32), path)
    return path


@torch.no_grad()
def farthest(one, other):
    """Largest difference of unit vectors of two networks."""
    pixels = torch.randn(3, 3, 64, 32, generator=torch.Generator().manual_seed(5))
    found, expected = (normalize(network.eval()(pixels), dim=1) for network in (one, other))
    return float((found - expected).abs().max())


def started(init, backbone=QUARTER):
    torch.manual_seed(3)
    network = build_network(backbone)
    load_start(network, backbone, str(init))
    return network


def test_a_merged_export_answers_as_the_network_that_it_was(published, merged):
    network = started(merged)
    assert farthest(network, published) < 1e-4
    norm = network.backbone.conv1.bn
    assert torch.equal(norm.weight, torch.ones_like(norm.weight))  # what merging leaves of it
    assert farthest(started("none"), published) > 0.01


@pytest.mark.skipif(not REAL.is_file(), reason="the shared OSNet weights are not here")
def test_real_weights_answer_as_their_file():
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(str(REAL), providers=["CPUExecutionProvider"])
    pixels = torch.randn(2, 3, 256, 128, generator=torch.Generator().manual_seed(9))
    theirs = torch.from_numpy(session.run(None, {session.get_inputs()[0].name: pixels.numpy()})[0])
    with torch.no_grad():
        ours = started(REAL).eval()(pixels)
    assert float((normalize(ours) - normalize(theirs)).abs().max()) < 1e-4


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_the_authors_own_weights_load_by_name_and_their_classifier_is_left_out(
    published, tmp_path, suffix
):
    from safetensors.torch import save_file

    path = tmp_path / f"osnet{suffix}"
    weights = {**published.state_dict(), "classifier.weight": torch.zeros(7, 512)}
    if suffix == ".pth":
        torch.save({"state_dict": {f"module.{k}": v for k, v in weights.items()}}, path)
    else:
        save_file(weights, path)
    assert farthest(started(path), published) < 1e-5


def test_a_run_goes_into_the_next_one(tmp_path, monkeypatch):
    monkeypatch.setitem(BACKBONES.table, "tiny", TABLE_ROW)
    torch.manual_seed(8)
    before = build_network("tiny")
    weights = {name: np.asarray(value) for name, value in before.state_dict().items()}
    config = CheckpointConfig("reid", recipe={"backbone": "tiny"})
    save_checkpoint(tmp_path / "best", ModelCheckpoint(config, weights, {}))
    assert farthest(started(tmp_path, "tiny"), before) == 0
    with pytest.raises(UsageError, match="holds a 'tiny' network"):
        started(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        pytest.param("missing.pth", None, "does not exist", id="missing"),
        pytest.param("broken.pth", b"nonsense", "cannot be read", id="pth"),
        pytest.param("broken.safetensors", b"nonsense", "cannot be read", id="safetensors"),
        pytest.param("broken.onnx", b"nonsense", "cannot be read|another network", id="onnx"),
        pytest.param("notes.txt", b"nonsense", "is not a file that training", id="suffix"),
    ],
)
def test_a_file_of_no_use_is_refused_in_a_sentence(tmp_path, name, content, said):
    pytest.importorskip("onnx")
    if content:
        (tmp_path / name).write_bytes(content)
    with pytest.raises((ModelError, UsageError), match=said):
        started(tmp_path / name)


def test_weights_of_another_network_are_refused(published, merged, tmp_path, monkeypatch):
    torch.save(published.state_dict(), tmp_path / "osnet.pth")
    torch.save({"a": 3}, tmp_path / "numbers.pth")
    monkeypatch.setitem(BACKBONES.table, "tiny", TABLE_ROW)
    for path, backbone, said in (
        (tmp_path / "osnet.pth", "osnet_x1_0", "of another network"),
        (tmp_path / "osnet.pth", "tiny", "of another network"),
        (tmp_path / "numbers.pth", QUARTER, "does not hold named tensors"),
        (merged, "osnet_x1_0", "of another network"),
        (merged, "tiny", "start of OSNet only"),
    ):
        with pytest.raises(ModelError, match=said):
            started(path, backbone)


def test_an_export_that_answers_otherwise_is_refused(merged, tmp_path):
    onnx = pytest.importorskip("onnx")
    model = onnx.load(str(merged))
    swapped = next(node for node in model.graph.node if node.op_type == "Relu")
    swapped.op_type = "Sigmoid"
    onnx.save(model, str(tmp_path / "other.onnx"))
    with pytest.raises(ModelError, match="vectors differ"):
        started(tmp_path / "other.onnx")


def test_a_checkpoint_that_leaves_out_frozen_weights_is_a_start(tmp_path, monkeypatch):
    monkeypatch.setitem(BACKBONES.table, "tiny", TABLE_ROW)
    network = build_network("tiny")
    weights = {name: np.asarray(value) for name, value in network.state_dict().items()}
    frozen = {name for name in weights if name.startswith("backbone.")}
    stored = {name: value for name, value in weights.items() if name not in frozen}
    config = CheckpointConfig("reid", recipe={"backbone": "tiny"})
    save_checkpoint(tmp_path, ModelCheckpoint(config, stored, {}))
    with pytest.raises(ModelError, match="of another network"):
        started(tmp_path, "tiny")
    where = "mot_dinov3.training.recipes.reid.starting.list_frozen"
    monkeypatch.setattr(where, lambda network: frozen)
    load_start(network, "tiny", str(tmp_path))
