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
    from mot_dinov3.training.recipes.demo.scenes import build_held_out_streets

    return list(build_held_out_streets(STREETS))


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
    from mot_dinov3.training.recipes.demo.scenes import FIRST_TRAINING_SEED

    first, last = FIGURES["held_out_street_seeds"]
    assert last - first + 1 >= 4
    assert last < DEMO_SEED < FIRST_TRAINING_SEED


@pytest.mark.slow
def test_the_shipped_embedder_measures_as_written(streets):
    from mot_dinov3.training.recipes.demo.figures import measure_embedder

    again = measure_embedder(demo_embedder_path(), streets, stride=60)
    assert again["auc"] == pytest.approx(FIGURES["embedder"]["auc"], abs=0.03)


@pytest.mark.slow
def test_the_shipped_detector_measures_as_written(streets):
    from mot_dinov3.training.recipes.demo.figures import measure_detector

    again = measure_detector(demo_detector_path(), streets, 640)
    for name, figures in FIGURES["detector"]["640"].items():
        assert again[name]["recall"] == pytest.approx(figures["recall"], abs=0.12)
        assert again[name]["precision"] == pytest.approx(figures["precision"], abs=0.2)
