"""The embedder that reads what `train reid` left behind."""

from __future__ import annotations

import json

import numpy as np
import pytest

from helpers.reid_runs import SIZES, write_run
from helpers.tiny_backbone import TABLE_ROW
from mot_dinov3.config import DeviceConfig, EmbedderConfig
from mot_dinov3.errors import ModelError, UnknownNameError, UsageError
from mot_dinov3.io.checkpoint import CheckpointConfig, ModelCheckpoint, save_checkpoint
from mot_dinov3.nets.reid.factory import BACKBONES
from mot_dinov3.perception.features.base import Placement
from mot_dinov3.perception.features.factory import create_embedder
from mot_dinov3.perception.features.prior import find_prior
from mot_dinov3.perception.features.reid_networks import create_network, load_network, read_spec
from mot_dinov3.training.recipes.reid.pictures import fit_crop, normalise

torch = pytest.importorskip("torch")

BOXES = np.array([[10, 10, 60, 110], [100, 40, 160, 160], [200, 20, 260, 140]], np.float32)


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setitem(BACKBONES.table, "tiny", TABLE_ROW)


def created(folder, backend="torch", **more):
    config = EmbedderConfig(embedder="reid", embed_model=str(folder), crop_pad=0)
    run = DeviceConfig(backend=backend, precision="fp32", **more)
    return create_embedder(config, Placement("cpu", run))


def see(network, image):
    """What a network says of the boxes, prepared as training prepares crops."""
    crops = [image[y1:y2, x1:x2] for x1, y1, x2, y2 in BOXES.astype(int).tolist()]
    size = SIZES["height_px"], SIZES["width_px"]
    pixels = torch.from_numpy(np.stack([fit_crop(crop, size) for crop in crops]))
    with torch.no_grad():
        return torch.nn.functional.normalize(network(normalise(pixels)), dim=1).numpy()


@pytest.mark.parametrize("backend", ["torch", "onnx"])
def test_it_says_what_the_trained_network_says(tmp_path, picture, backend):
    if backend == "onnx":
        pytest.importorskip("onnxruntime")
        pytest.importorskip("onnx")
    network = write_run(tmp_path / "run")
    for folder in (tmp_path / "run", tmp_path / "run" / "best"):
        embedder = created(folder, backend, export_cache=str(tmp_path / "cache"))
        vectors = embedder.embed(picture, BOXES)
        assert (embedder.dim, vectors.shape) == (32, (3, 32))
        # training keeps whole grey values of a crop, the embedder fractions of them
        np.testing.assert_allclose(vectors, see(network, picture), atol=2e-3)
    turned = created(tmp_path / "run", "torch").embed(picture, BOXES[::-1])
    np.testing.assert_allclose(turned[::-1], vectors, atol=1e-3)
    assert np.abs(vectors[0] - vectors[1]).max() > 0.02


def test_the_gate_of_training_is_its_prior(tmp_path):
    write_run(tmp_path, gate=0.58)
    prior = find_prior(EmbedderConfig(embedder="reid", embed_model=str(tmp_path)))
    assert (prior.gate, prior.trusted) == (0.58, True)


def test_it_needs_the_folder_of_a_run(tmp_path):
    with pytest.raises(UsageError, match="needs the folder"):
        created("")
    with pytest.raises(ModelError, match="is not a checkpoint"):
        created(tmp_path)
    save_checkpoint(tmp_path, ModelCheckpoint(CheckpointConfig("detector"), {}, {}))
    with pytest.raises(ModelError, match="of kind 'detector'"):
        created(tmp_path)


def rewrite(folder, change):
    path = folder / "best" / "config.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def test_weights_that_do_not_fit_their_settings_are_refused(tmp_path):
    write_run(tmp_path)
    rewrite(tmp_path, lambda document: document["recipe"].update(backbone="osnet_x0_25"))
    with pytest.raises(ModelError, match=r"do not fit their config\.json"):
        load_network(tmp_path)
    rewrite(tmp_path, lambda document: document["recipe"].update(backbone="osnet_x9"))
    with pytest.raises(UnknownNameError):
        load_network(tmp_path)


def test_a_network_sees_crops_of_the_size_and_with_the_moments_of_training(tmp_path):
    write_run(tmp_path)
    rewrite(tmp_path, lambda document: document.update(mean=[0.1, 0.2, 0.3]))
    spec = read_spec(load_network(tmp_path)[1])
    assert (spec.height, spec.width, spec.mean) == (64, 32, (0.1, 0.2, 0.3))
    rewrite(tmp_path, lambda document: document.update(mean=[0.1]))
    with pytest.raises(ModelError, match="three numbers"):
        read_spec(load_network(tmp_path)[1])


def test_a_backbone_of_transformers_learns_only_with_lora(models):
    frozen = create_network(f"dinov3:{models / 'dinov3'}")
    assert not any(p.requires_grad for p in frozen.backbone.parameters())
    taught = create_network(f"dinov3:{models / 'dinov3'}:lora")
    names = [name for name, p in taught.backbone.named_parameters() if p.requires_grad]
    assert names
    assert taught.eval()(torch.zeros(1, 3, 64, 32)).shape == (1, 32)
    with pytest.raises(UsageError, match="names no model"):
        create_network("dinov3:")
