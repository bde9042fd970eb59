from __future__ import annotations

import json
import logging
import shutil

import numpy as np
import pytest

from mot_dinov3.config import DEFAULT_DINO, OPEN_DINO, DeviceConfig, EmbedderConfig
from mot_dinov3.errors import ModelError, UnknownNameError, UsageError
from mot_dinov3.lab.selftest import fake_hub
from mot_dinov3.perception.backends.digest import weights_digest
from mot_dinov3.perception.features.base import EmbedderKind, Placement
from mot_dinov3.perception.features.dino import load_or_open
from mot_dinov3.perception.features.factory import EMBEDDERS, create_embedder, embedder_kind
from mot_dinov3.perception.hub.problems import (
    GatedModelError,
    OfflineModelError,
    UnsupportedModelError,
)

TORCH = DeviceConfig(backend="torch", precision="fp32")
BOXES = np.array([[10, 10, 60, 110], [100, 40, 160, 160], [np.nan, 0, 1, 1]], np.float32)


def create(model="", embedder="dino", **more):
    config = EmbedderConfig(embedder=embedder, embed_model=str(model), **more)
    return create_embedder(config, Placement("cpu", TORCH))


@pytest.fixture
def spoilt(models, tmp_path):
    """A copy of the small DINOv2 to damage."""
    directory = tmp_path / "spoilt"
    shutil.copytree(models / "dinov2", directory)
    return directory


def change_config(directory, **values):
    path = directory / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.mark.parametrize(
    ("flags", "name"),
    [
        ({}, DEFAULT_DINO),
        ({"dinov3": "a"}, "a"),
        ({"dinov3": "a", "embed_model": "b"}, "b"),
    ],
)
def test_the_older_flag_gives_way_to_the_model_named(flags, name):
    loaded = load_or_open(lambda name, *_: name, EmbedderConfig(**flags), Placement("cpu"))
    assert loaded == name


def test_an_unknown_backend_lists_the_known_ones():
    with pytest.raises(UnknownNameError, match="Did you mean dino") as caught:
        create(embedder="dinno")
    assert "clip, dense, detector, dino, onnx, openvino, reid, resnet" in caught.value.fix


def test_every_name_in_the_table_leads_somewhere():
    assert all(isinstance(embedder_kind(name), EmbedderKind) for name in EMBEDDERS)


@pytest.mark.parametrize(
    ("embedder", "name", "answer"),
    [
        ("dino", "dinov2", (32, 56)),
        ("dino", "dinov3", (32, 64)),
        ("dino", "convnext", (32, 64)),
        ("dino", "resnet", (32, 64)),
        ("clip", "clip", (24, 56)),
        ("resnet", "resnet", (32, 64)),
    ],
)
def test_a_local_directory_works(models, picture, capfd, embedder, name, answer):
    dim, size = answer
    ours = create(models / name, embedder)
    assert ours.dim == dim
    assert ours.title == f"{models / name} {size} px, cpu, torch fp32"
    assert ours.fingerprint == weights_digest(models / name)
    vectors = ours.embed(picture, BOXES)
    assert vectors.shape == (3, dim)
    np.testing.assert_allclose(np.linalg.norm(vectors[:2], axis=1), 1, atol=1e-5)
    assert np.isnan(vectors[2]).all()
    np.testing.assert_array_equal(vectors, ours.embed(picture, BOXES))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["dinov2", "dinov3"])
def test_the_embedding_is_the_class_token(models, picture, name):
    import torch
    import transformers

    directory = models / name
    processor = transformers.AutoImageProcessor.from_pretrained(directory, local_files_only=True)
    rgb = np.ascontiguousarray(picture[50:100, 100:150, ::-1])
    exact = (
        {} if name == "dinov3" else {"do_center_crop": False, "size": {"height": 56, "width": 56}}
    )
    inputs = processor(images=rgb, return_tensors="pt", **exact)
    bars = transformers.utils.logging
    bars.disable_progress_bar()
    model = transformers.AutoModel.from_pretrained(directory, local_files_only=True).eval()
    with torch.inference_mode():
        token = model(**inputs).last_hidden_state[0, 0].numpy()
    box = np.array([[100, 50, 150, 100]], np.float32)
    ours = create(directory, crop_pad=0.0).embed(picture, box)[0]
    np.testing.assert_allclose(ours, token / np.linalg.norm(token), atol=2e-3)


def test_clip_gives_the_projected_picture(models, picture):
    import torch
    import transformers

    transformers.utils.logging.disable_progress_bar()
    directory = models / "clip"
    processor = transformers.AutoImageProcessor.from_pretrained(directory, local_files_only=True)
    rgb = np.ascontiguousarray(picture[50:100, 100:150, ::-1])
    exact = {"do_center_crop": False, "size": {"height": 56, "width": 56}}
    inputs = processor(images=rgb, return_tensors="pt", **exact)
    whole = transformers.CLIPModel.from_pretrained(directory, local_files_only=True).eval()
    with torch.inference_mode():
        tower = whole.vision_model(**inputs).pooler_output
        theirs = whole.visual_projection(tower)[0].numpy()
    box = np.array([[100, 50, 150, 100]], np.float32)
    ours = create(directory, "clip", crop_pad=0.0).embed(picture, box)[0]
    np.testing.assert_allclose(ours, theirs / np.linalg.norm(theirs), atol=2e-3)


def test_a_hub_model_is_downloaded_once_and_then_works_without_the_hub(hub, models, picture):
    hub.serve("acme/vit", models / "dinov3")
    online = create("acme/vit")
    assert online.title == "acme/vit 64 px, cpu, torch fp32"
    hub.stop()
    offline = create("acme/vit")
    np.testing.assert_array_equal(online.embed(picture, BOXES), offline.embed(picture, BOXES))


def test_the_default_is_the_documented_model(hub):
    hub.gate(DEFAULT_DINO, fake_hub.NOT_LISTED)
    with pytest.raises(GatedModelError, match="facebook/dinov3-vitb16-pretrain-lvd1689m") as caught:
        create()
    assert "--dinov3 facebook/dinov2-base" in caught.value.fix


def test_the_message_names_the_flag_that_was_used(hub):
    hub.gate("acme/gated", fake_hub.NOT_LISTED)
    with pytest.raises(GatedModelError) as caught:
        create("acme/gated")
    assert "--embed-model facebook/dinov2-base" in caught.value.fix


def test_a_gate_gives_way_to_the_open_model_with_one_line(hub, models, token, caplog):
    hub.gate(DEFAULT_DINO, fake_hub.PENDING)
    hub.serve(OPEN_DINO, models / "dinov2")
    with caplog.at_level(logging.WARNING):
        ours = create(fallback_open=True)
    assert ours.title.startswith(OPEN_DINO)
    (line,) = [record.getMessage() for record in caplog.records if record.name == "mot_dinov3"]
    assert "\n" not in line
    assert DEFAULT_DINO in line
    assert OPEN_DINO in line
    assert "pending" in line
    assert token not in line


def test_the_open_model_replaces_an_architecture_nobody_knows(hub, models, spoilt, caplog):
    change_config(spoilt, model_type="dinov9")
    hub.serve("acme/new", spoilt)
    with pytest.raises(UnsupportedModelError, match="'dinov9' model") as caught:
        create("acme/new")
    assert "pip install -U transformers" in caught.value.fix
    hub.serve(OPEN_DINO, models / "dinov2")
    assert create("acme/new", fallback_open=True).title.startswith(OPEN_DINO)
    assert "dinov9" in caplog.text


def test_the_open_model_in_the_cache_works_offline(hub, models, offline):
    hub.serve(OPEN_DINO, models / "dinov2")
    create(OPEN_DINO)
    offline()
    assert create(fallback_open=True).title.startswith(OPEN_DINO)


def test_offline_without_any_model_speaks_of_the_one_asked_for(hub, offline, caplog):
    offline()
    with pytest.raises(OfflineModelError, match=DEFAULT_DINO):
        create(fallback_open=True)
    assert not caplog.records


def test_a_typo_does_not_fall_back(hub, models):
    hub.serve(OPEN_DINO, models / "dinov2")
    with pytest.raises(ModelError, match="There is no model 'facebook/dinov4'"):
        create("facebook/dinov4", fallback_open=True)


def test_another_backend_does_not_fall_back_to_dino(hub, token):
    hub.gate("acme/gated", fake_hub.REFUSED)
    with pytest.raises(GatedModelError) as caught:
        create("acme/gated", "clip", fallback_open=True)
    assert "--fallback-open" not in caught.value.fix


@pytest.mark.parametrize("embedder", ["clip", "resnet", "onnx"])
def test_demo_is_a_dino_model(embedder):
    with pytest.raises(UsageError, match="demo"):
        create("demo", embedder)


def test_weights_that_are_cut_short_are_damaged(spoilt):
    weights = spoilt / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ModelError, match=r"safetensors file of .* cannot be used"):
        create(spoilt)


def test_weights_that_are_not_safetensors_are_damaged(spoilt):
    (spoilt / "model.safetensors").write_bytes(b"these are no weights")
    with pytest.raises(ModelError, match=r"safetensors file of .* cannot be used"):
        create(spoilt)


def test_random_weights_are_never_made_up(spoilt, models):
    change_config(spoilt, num_hidden_layers=3)
    with pytest.raises(ModelError, match=r"18 parameters are missing, such as .*layer\.2"):
        create(spoilt)


def test_weights_of_another_size_are_refused(spoilt):
    change_config(spoilt, hidden_size=64)
    with pytest.raises(ModelError, match="have another shape"):
        create(spoilt)


@pytest.mark.parametrize("text", ["{", "[]", "{}"])
def test_a_config_that_says_nothing_is_damaged(spoilt, text):
    (spoilt / "config.json").write_text(text)
    with pytest.raises(ModelError, match=r"config\.json of .* cannot be used"):
        create(spoilt)


def test_code_beside_the_weights_is_never_run(spoilt):
    (spoilt / "evil.py").write_text("raise SystemExit('ran foreign code')")
    change_config(spoilt, auto_map={"AutoModel": "evil.Model", "AutoConfig": "evil.Config"})
    assert create(spoilt).dim == 32


def test_a_language_model_is_not_an_embedder(models):
    with pytest.raises(ModelError, match=r"\(bert\) does not take pictures"):
        create(models / "text")


def test_a_backend_refuses_another_architecture(models):
    with pytest.raises(ModelError, match="is a 'dinov2' model, but this embedder needs 'clip'"):
        create(models / "dinov2", "clip")


def test_the_model_in_the_package_needs_no_network(hub, picture):
    from mot_dinov3.perception.assets import demo_embedder_path

    if not demo_embedder_path().is_dir():
        pytest.skip("the demo weights have not been trained here")
    ours = create("demo")
    assert ours.title.startswith("demo ")
    assert np.isfinite(ours.embed(picture, BOXES)[:2]).all()
    assert hub.asked == []


@pytest.mark.parametrize(
    "values",
    [
        {"hidden_size": 10**9},
        {"num_hidden_layers": -1},
        {"num_hidden_layers": 10**9},
        {"patch_size": 0},
        {"num_attention_heads": 0},
        {"hidden_size": "wide"},
        {"hidden_act": ["gelu"]},
        {"hidden_act": "no_such"},
        {"layer_norm_eps": "small"},
        {"hidden_dropout_prob": -3},
    ],
)
def test_settings_of_any_kind_end_in_a_sentence(spoilt, values):
    change_config(spoilt, **values)
    with pytest.raises(ModelError):
        create(spoilt)


@pytest.mark.parametrize("depth", [60, 2000, 100_000])
def test_settings_inside_each_other_end_in_a_sentence(spoilt, depth):
    text = (spoilt / "config.json").read_text()
    inner = '{"a": ' * depth + "1" + "}" * depth
    (spoilt / "config.json").write_text(text.rstrip()[:-1] + f', "vision_config": {inner}}}')
    with pytest.raises(ModelError, match="inside each other"):
        create(spoilt)
