"""The demo models: they learn, and the ones that ship are what their figures say."""

from __future__ import annotations

import json

import pytest

from mot_dinov3.perception.assets import (
    WEIGHTS_DIR,
    demo_detector_path,
    demo_embedder_path,
    figures_path,
)

FIGURES = json.loads(figures_path().read_text(encoding="utf-8"))
STREETS = 1


@pytest.fixture(scope="module")
def streets():
    from mot_dinov3.training.scenes import held_out_streets

    return list(held_out_streets(STREETS))


def test_both_models_are_small():
    size = sum(path.stat().st_size for path in WEIGHTS_DIR.rglob("*"))
    assert 0 < size < 4_000_000


def test_the_weights_hold_no_paths_and_no_code():
    import zipfile

    with zipfile.ZipFile(demo_detector_path()) as archive:
        pickle = next(archive.read(n) for n in archive.namelist() if n.endswith("data.pkl"))
    assert b"/home" not in pickle
    assert b"/root" not in pickle
    assert b"/tmp" not in pickle
    assert not list(WEIGHTS_DIR.rglob("*.bin"))
    assert (demo_embedder_path() / "model.safetensors").is_file()


def test_the_figures_show_a_trained_model_beside_its_control():
    trained, control = FIGURES["embedder"], FIGURES["embedder_untrained"]
    assert trained["auc"] > 0.97 > control["auc"]
    assert trained["rank1"] > control["rank1"] + 0.3
    assert FIGURES["training_minutes"] < 30


def test_training_streets_are_not_the_held_out_ones():
    from mot_dinov3.data.synthetic.clip import DEMO_SEED
    from mot_dinov3.training.scenes import FIRST_TRAINING_SEED

    first, last = FIGURES["held_out_street_seeds"]
    assert last - first + 1 >= 4
    assert last < DEMO_SEED < FIRST_TRAINING_SEED


@pytest.mark.slow
def test_the_shipped_embedder_measures_as_written(streets):
    from mot_dinov3.training.figures import embedder_figures

    again = embedder_figures(demo_embedder_path(), streets, stride=60)
    assert again["auc"] == pytest.approx(FIGURES["embedder"]["auc"], abs=0.03)


@pytest.mark.slow
def test_the_shipped_detector_measures_as_written(streets):
    from mot_dinov3.training.figures import detector_figures

    again = detector_figures(demo_detector_path(), streets, 640)
    for name, figures in FIGURES["detector"]["640"].items():
        assert again[name]["recall"] == pytest.approx(figures["recall"], abs=0.12)
        assert again[name]["precision"] == pytest.approx(figures["precision"], abs=0.2)


@pytest.mark.slow
def test_a_short_training_beats_its_untrained_control(tmp_path):
    """The control sees the same crops in the same order, but its weights stay random."""
    from mot_dinov3.training.embedder import EmbedderRecipe, train_embedder

    last_loss = {}
    for name, rate in (("trained", 3e-3), ("control", 0.0)):
        said = []
        recipe = EmbedderRecipe(
            steps=25, streets=1, views=6, uses=1000, crops=36, peak_rate=rate, seed=3
        )
        train_embedder(recipe, tmp_path / name, said.append)
        last_loss[name] = float(said[-1].split("loss ")[1].split()[0])
    assert last_loss["trained"] < last_loss["control"] - 0.3


@pytest.mark.slow
def test_a_few_steps_lower_the_loss_of_the_detector(tmp_path):
    from mot_dinov3.training.detector import DetectorRecipe, train_detector

    said = []
    recipe = DetectorRecipe(steps=12, batch=2, widths_px=(320,), seed=3)
    train_detector(recipe, tmp_path / "detector.pt", said.append)
    first, last = (
        sum(map(float, line.split(":")[1].split()[1::2])) for line in (said[0], said[-1])
    )
    assert last < first
    assert (tmp_path / "detector.pt").is_file()
