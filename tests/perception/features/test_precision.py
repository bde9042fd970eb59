"""Networks that short numbers spoil run in fp32, with one warning."""

from __future__ import annotations

import logging
from importlib.util import find_spec

import numpy as np
import pytest

from mot_dinov3.config import DeviceConfig, EmbedderConfig
from mot_dinov3.perception.assets import demo_embedder_path
from mot_dinov3.perception.backends.choice import Choice
from mot_dinov3.perception.features import precision
from mot_dinov3.perception.features.base import Placement
from mot_dinov3.perception.features.crops import InputSpec
from mot_dinov3.perception.features.exports import Pretrained, load_pretrained
from mot_dinov3.perception.features.precision import (
    PEOPLE,
    CheckedModel,
    describe_difference,
    read_photograph,
    settle_precision,
)

SPEC = InputSpec(24, 16)
SHORT = Choice("torch", "fp16")


def network(spoil=lambda vectors: vectors):
    """Answers with the means of parts of the picture, spoilt."""

    def run(pixels):
        parts = pixels.reshape(len(pixels), 3, 6, 4, 4, 4).mean(axis=(3, 5))
        return (spoil(parts.reshape(len(pixels), -1)),)

    return run, SPEC


def turned(degrees):
    """Vectors turned by an angle towards a direction that they do not have."""

    def turn(vectors):
        angle = np.radians(degrees)
        length = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.hstack([vectors * np.cos(angle), length * np.sin(angle)])

    return turn


def flat(vectors):
    return turned(0)(vectors)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (turned(2), ""),
        (turned(12), "its vectors are off (cosine 0.978)"),
        (lambda vectors: np.full_like(flat(vectors), np.inf), "its vectors are not finite"),
        (lambda vectors: flat(vectors) * 0, "its vectors are off (cosine 0.000)"),
        (lambda vectors: flat(vectors) * 3, ""),
    ],
)
def test_vectors_have_to_be_finite_and_near_the_exact_ones(spoil, says):
    assert describe_difference(network(spoil), network(flat)) == says


def test_what_is_no_better_in_fp32_is_left_to_the_trial_of_every_embedder():
    nothing = network(lambda vectors: vectors * np.nan)
    assert describe_difference(nothing, nothing) == ""


@pytest.mark.skipif(not find_spec("ultralytics"), reason="Ultralytics is not installed")
def test_the_photograph_shows_people(monkeypatch):
    picture = read_photograph()
    assert picture.shape == (1080, 810, 3)
    assert all(x2 <= 810 and y2 <= 1080 for _, _, x2, y2 in PEOPLE)
    people = [picture[int(y1) : int(y2), int(x1) : int(x2)] for x1, y1, x2, y2 in PEOPLE]
    assert min(float(person.std()) for person in people) > 40
    monkeypatch.setattr(precision, "find_spec", lambda name: None)
    assert read_photograph().shape == picture.shape


class Loads:
    """Loads networks by precision, and notes which."""

    def __init__(self, **by_precision):
        self.by_precision, self.asked = by_precision, []

    def __call__(self, choice):
        self.asked.append(f"{choice.backend} {choice.precision}")
        return self.by_precision[choice.precision]


@pytest.fixture
def settle(tmp_path):
    weights = tmp_path / "weights"
    weights.write_bytes(b"some")
    place = Placement("cpu", DeviceConfig(export_cache=str(tmp_path / "exports")))

    def run(load, choice=SHORT):
        return settle_precision(choice, load, CheckedModel("a/model", weights), place)

    run.weights = weights
    return run


def test_a_network_that_overflows_runs_in_fp32_and_says_so_once_a_start(settle, caplog):
    loads = Loads(fp16=network(lambda vectors: vectors * np.nan), fp32=network())
    with caplog.at_level(logging.WARNING):
        assert settle(loads) == Choice("torch", "fp32")
    assert caplog.messages == [
        "'a/model' runs in fp32: with torch fp16 its vectors are not finite."
    ]
    assert loads.asked == ["torch fp16", "torch fp32"]
    assert settle(loads) == Choice("torch", "fp32")
    assert len(loads.asked) == 2, "the verdict is kept"
    settle.weights.write_bytes(b"others")
    settle(loads)
    assert len(loads.asked) == 4, "other weights have another verdict"


def test_a_good_network_stays_as_it_is_and_fp32_is_not_looked_at(settle, caplog):
    loads = Loads(fp16=network(turned(1)), fp32=network(flat))
    with caplog.at_level(logging.WARNING):
        assert settle(loads) == SHORT
        assert settle(None, Choice("torch", "fp32")) == Choice("torch", "fp32")
    assert not caplog.messages


def test_an_engine_of_tensorrt_is_compared_with_its_file_in_onnxruntime(settle):
    """A second engine would take minutes."""
    loads = Loads(fp16=network(), fp32=network())
    assert settle(loads, Choice("tensorrt", "fp16")) == Choice("tensorrt", "fp16")
    assert loads.asked == ["tensorrt fp16", "onnx fp32"]
    spoilt = Loads(fp16=network(turned(12)), fp32=network(flat))
    settle.weights.write_bytes(b"others")
    assert settle(spoilt, Choice("tensorrt", "fp16")) == Choice("tensorrt", "fp32")


def test_a_model_that_bf16_spoils_is_loaded_in_fp32(tmp_path, caplog):
    """Its answers differ by less than the steps of bf16 beyond 1024."""
    torch = pytest.importorskip("torch")

    class Far(torch.nn.Module):
        def forward(self, pixels):
            return pixels.mean(dim=3).flatten(1) + 2000 - 2000

    def load(numbers):
        model = Pretrained("far", demo_embedder_path(), "far", lambda: (Far(), SPEC))
        run = DeviceConfig(backend="torch", precision=numbers, export_cache=str(tmp_path))
        return load_pretrained(model, EmbedderConfig(), Placement("cpu", run))

    with caplog.at_level(logging.WARNING):
        assert load("bf16").title.endswith("torch fp32")
    assert len(caplog.messages) == 1
    assert "'far' runs in fp32: with torch bf16 its vectors are off" in caplog.messages[0]
