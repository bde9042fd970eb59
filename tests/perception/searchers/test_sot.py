"""The searcher around our own network: batches, banks of templates, and what it refuses."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from helpers.sot_runs import store_network
from mot_dinov3.config import DeviceConfig
from mot_dinov3.errors import ModelError, UsageError
from mot_dinov3.io.checkpoint import load_checkpoint
from mot_dinov3.perception.searchers import sot
from mot_dinov3.perception.searchers.factory import create_searcher
from mot_dinov3.perception.searchers.sot_networks import as_pixels, fold_norms, load_network
from mot_dinov3.values import Frame

BOXES = np.array([[20, 20, 50, 60], [100, 30, 130, 50], [60, 80, 90, 118]], np.float32)
IDS = np.array([4, 9, 2])


def draw_frame(index=0):
    rng = np.random.default_rng(index)
    return Frame(index, index / 25, rng.integers(0, 256, (120, 160, 3), np.uint8))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("sot")
    store_network(path)
    return path


@pytest.fixture
def searcher(folder):
    made = create_searcher(f"sot:{folder}", "cpu")
    made.show(draw_frame(), IDS, BOXES)
    return made


@pytest.fixture
def trusting(monkeypatch):
    """Every answer counts as a find, though the network has learned nothing."""
    monkeypatch.setattr(sot, "LEAST_SCORE", 0.0)


def test_a_batch_answers_as_each_alone_does(searcher, trusting):
    frame = draw_frame(1)
    alone = [searcher.renew() for _ in IDS]
    for row, one in enumerate(alone):
        one.show(draw_frame(), IDS[[row]], BOXES[[row]])
    together = searcher.search(frame, IDS, BOXES)
    apart = [one.search(frame, IDS[[row]], BOXES[[row]]) for row, one in enumerate(alone)]
    assert (together.score > 0).all()
    assert together.xyxy == pytest.approx(np.concatenate([f.xyxy for f in apart]), abs=1e-2)
    assert together.score == pytest.approx(np.concatenate([f.score for f in apart]), abs=1e-5)


def test_a_network_without_its_norms_answers_the_same(folder):
    import torch
    from torch import nn

    network, _ = load_network(folder)
    torch.manual_seed(0)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):  # as if it had learned
            layer.running_mean.normal_()
            layer.running_var.uniform_(0.5, 2)
    pixels = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        before = network.backbone(pixels)
        fold_norms(network)
        after = network.backbone(pixels)
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in network.backbone.modules())
    for one, other in zip(before, after, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_templates_decide_what_is_found(searcher, trusting):
    other = searcher.renew()
    other.show(draw_frame(), IDS, BOXES[::-1].copy())
    frame = draw_frame(1)
    one, two = (it.search(frame, IDS, BOXES) for it in (searcher, other))
    assert not np.allclose(one.score, two.score)


def test_what_was_not_shown_is_not_found(searcher, trusting):
    searcher.forget(np.array([9, 77]))
    expected = BOXES.copy()
    expected[2] = np.nan
    finds = searcher.search(draw_frame(1), IDS, expected)
    assert (finds.score > 0).tolist() == [True, False, False]
    assert finds.xyxy[1].tolist() == BOXES[1].tolist()
    assert len(searcher.renew().search(draw_frame(1), IDS, BOXES)) == 3
    assert len(searcher.search(draw_frame(1), IDS[:0], BOXES[:0])) == 0


def test_an_unsure_answer_is_not_a_find(searcher):
    sot_score = searcher.search(draw_frame(1), IDS, BOXES).score
    assert ((sot_score == 0) | (sot_score >= sot.LEAST_SCORE)).all()
    searcher_of_nothing = searcher.renew()
    searcher_of_nothing.show(draw_frame(), IDS, np.full_like(BOXES, np.nan))
    assert not searcher_of_nothing.search(draw_frame(1), IDS, BOXES).score.any()


def test_a_good_find_becomes_a_template_and_the_first_one_stays(searcher, trusting, monkeypatch):
    import torch

    monkeypatch.setattr(sot, "RENEW_SHARE", -100.0)
    first = {n: target.templates.clone() for n, target in searcher._targets.items()}
    searcher.search(draw_frame(3), IDS, BOXES)
    assert all(torch.equal(first[n], searcher._targets[n].templates) for n in first)  # too early
    searcher.search(draw_frame(sot.RENEW_FRAMES), IDS, BOXES)
    for n, before in first.items():
        now = searcher._targets[n].templates
        assert torch.equal(now[0], before[0])
        assert not torch.allclose(now[1], before[1])


def test_sizes_change_slowly(folder, trusting, monkeypatch):
    def measure_growth(pace):
        monkeypatch.setattr(sot, "SIZE_PACE", pace)
        made = create_searcher(f"sot:{folder}", "cpu")
        made.show(draw_frame(), IDS, BOXES)
        found = made.search(draw_frame(1), IDS, BOXES).xyxy
        return (found[:, 2:] - found[:, :2]) - (BOXES[:, 2:] - BOXES[:, :2])

    slow, fast = measure_growth(0.25), measure_growth(1.0)
    assert np.abs(fast).min() > 1
    assert slow == pytest.approx(0.25 * fast, abs=1e-2)


def test_it_says_what_it_is(searcher, folder):
    assert searcher.title == f"sot {folder.name} 64 px, cpu"
    assert searcher.sure == 0.4
    assert len(searcher.fingerprint) > 8
    assert searcher.renew().fingerprint == searcher.fingerprint


def test_short_numbers_say_nearly_the_same(folder, searcher, trusting):
    short = create_searcher(f"sot:{folder}", "cpu", DeviceConfig(precision="bf16"))
    short.show(draw_frame(), IDS, BOXES)
    exact, near = (it.search(draw_frame(1), IDS, BOXES).score for it in (searcher, short))
    assert near == pytest.approx(exact, rel=0.2)
    assert not np.array_equal(near, exact)


def test_what_is_not_such_a_checkpoint_is_refused(folder, tmp_path):
    with pytest.raises(UsageError, match="names no ckpt"):
        create_searcher("sot", "cpu")
    with pytest.raises(ModelError, match="not a checkpoint"):
        create_searcher(f"sot:{tmp_path / 'none'}", "cpu")
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    text = (other / "config.json").read_text()
    (other / "config.json").write_text(text.replace('"kind": "sot"', '"kind": "reid"'))
    with pytest.raises(ModelError, match="kind 'reid'"):
        create_searcher(f"sot:{other}", "cpu")
    (other / "config.json").write_text(text.replace('"dim": 32', '"dim": 64'))
    with pytest.raises(ModelError, match="do not fit"):
        create_searcher(f"sot:{other}", "cpu")
    (other / "config.json").write_text(text.replace('"heads"', '"feet"'))
    with pytest.raises(ModelError, match="does not describe a network"):
        create_searcher(f"sot:{other}", "cpu")
    store_network(tmp_path / "unmeasured", thresholds={})
    with pytest.raises(ModelError, match="from which score"):
        create_searcher(f"sot:{tmp_path / 'unmeasured'}", "cpu")


def test_a_frozen_model_of_transformers_is_not_stored_again(tmp_path):
    import torch
    import transformers as t

    torch.manual_seed(0)
    config = t.DINOv3ConvNextConfig(hidden_sizes=[4, 8, 12, 16], depths=[1, 1, 1, 1])
    t.DINOv3ConvNextModel(config).save_pretrained(tmp_path / "model")
    name = str(tmp_path / "model")
    for frozen in (True, False):
        folder = tmp_path / f"run{frozen}"
        store_network(folder, backbone=name, freeze_backbone=frozen)
        stored = load_checkpoint(folder, "sot").weights
        assert frozen != any(name.startswith("backbone.") for name in stored)
        network, _ = load_network(folder)
        assert network.frozen == frozen
    vit = t.DINOv3ViTConfig(num_hidden_layers=1, num_attention_heads=2, hidden_size=8)
    t.DINOv3ViTModel(vit).save_pretrained(tmp_path / "vit")
    with pytest.raises(ModelError, match=r"maps of strides \(16,\)"):
        store_network(tmp_path / "wrong", backbone=str(tmp_path / "vit"))


def test_pixels_are_rgb_around_zero():
    import torch

    blue = torch.zeros(1, 2, 2, 3, dtype=torch.uint8)
    blue[..., 0] = 255
    rgb = as_pixels(blue)
    assert rgb.shape == (1, 3, 2, 2)
    assert rgb[0, :, 0, 0].tolist() == pytest.approx(
        [-0.485 / 0.229, -0.456 / 0.224, 0.594 / 0.225]
    )
