"""The two recipes of the demo: they learn, and their batches go on where they were stopped."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mot_dinov3.io.checkpoint import load_checkpoint
from mot_dinov3.training.engine import train
from mot_dinov3.training.log import read_log
from mot_dinov3.training.recipes.demo.detector import DetectorRecipe, StreetBatches
from mot_dinov3.training.recipes.demo.embedder import CropBatches, EmbedderRecipe
from mot_dinov3.training.recipes.demo.suite import DETECTOR, EMBEDDER, DemoSuite
from mot_dinov3.training.settings import TrainingRun

SMALL_EMBEDDER = {"streets": 1, "views": 6, "crops": 36, "seed": 3, "log_every": 1}
SMALL_DETECTOR = {"batch": 2, "widths_px": (320,), "seed": 3, "log_every": 1}


def run_in(folder, recipe):
    train(recipe, TrainingRun(out=str(folder), device="cpu"))
    return [entry["loss"] for entry in read_log(folder)]


@pytest.mark.slow
def test_a_short_training_beats_its_untrained_control(tmp_path):
    """The control sees the same crops in the same order, but its weights stay random."""
    losses = {
        name: run_in(
            tmp_path / name, EmbedderRecipe(steps=25, uses=1000, rate=rate, **SMALL_EMBEDDER)
        )
        for name, rate in (("trained", 3e-3), ("control", 0.0))
    }
    assert losses["trained"][-1] < losses["control"][-1] - 0.3


@pytest.mark.slow
def test_a_few_steps_lower_the_loss_of_the_detector(tmp_path):
    losses = run_in(tmp_path / "detector", DetectorRecipe(steps=12, **SMALL_DETECTOR))
    assert losses[-1] < losses[0]
    checkpoint = load_checkpoint(tmp_path / "detector", "demo-detector")
    assert checkpoint.config.classes == ("person", "vehicle")
    assert all(np.isfinite(value).all() for value in checkpoint.weights.values())


def flatten(batch):
    return list(batch.values()) if isinstance(batch, dict) else list(batch)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("supply", "recipe"),
    [
        pytest.param(CropBatches, EmbedderRecipe(uses=3, **SMALL_EMBEDDER), id=EMBEDDER),
        pytest.param(StreetBatches, DetectorRecipe(**SMALL_DETECTOR), id=DETECTOR),
    ],
)
def test_batches_go_on_from_a_stored_state(tmp_path, supply, recipe):
    whole = supply(recipe)
    for number in range(4):
        whole.batch(number)
    torch.save(whole.state_dict(), tmp_path / "state.pt")
    rest = [flatten(whole.batch(number)) for number in range(4, 8)]
    resumed = supply(recipe)
    fresh = flatten(resumed.batch(0))
    resumed.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    again = [flatten(resumed.batch(number)) for number in range(4, 8)]
    assert all(
        torch.equal(a, b)
        for one, other in zip(rest, again, strict=True)
        for a, b in zip(one, other, strict=True)
    )
    assert not all(
        a.shape == b.shape and torch.equal(a, b) for a, b in zip(fresh, rest[0], strict=True)
    )


@pytest.mark.slow
def test_the_suite_writes_models_that_the_tracker_reads(tmp_path):
    from mot_dinov3.config import DetectorConfig, DeviceConfig, EmbedderConfig
    from mot_dinov3.perception.assets import DETECTOR_FILE, EMBEDDER_DIR
    from mot_dinov3.perception.detectors.factory import create_detector
    from mot_dinov3.perception.features.base import Placement
    from mot_dinov3.perception.features.factory import create_embedder

    run_in(tmp_path / DETECTOR, DetectorRecipe(steps=1, **SMALL_DETECTOR))
    run_in(tmp_path / EMBEDDER, EmbedderRecipe(steps=1, **SMALL_EMBEDDER))
    DemoSuite().write_models(tmp_path)
    backend = DeviceConfig(backend="torch", precision="fp32")
    detector = create_detector(DetectorConfig(det=str(tmp_path / DETECTOR_FILE)), "cpu", backend)
    assert list(detector.names.values()) == ["person", "vehicle"]
    config = EmbedderConfig(embed_model=str(tmp_path / EMBEDDER_DIR))
    embedder = create_embedder(config, Placement("cpu", backend))
    vectors = embedder.embed(np.zeros((90, 90, 3), np.uint8), np.array([[5, 5, 60, 80]], "f4"))
    assert vectors.shape == (1, 96)
