from __future__ import annotations

import pytest

from helpers.jobs import tiny_onnx
from mot_dinov3 import Models, Tracker
from mot_dinov3.errors import InputError, ModelError, UsageError


def test_what_is_named_is_loaded_at_once(tmp_path):
    with pytest.raises(ModelError, match=r"'missing\.onnx' does not exist"):
        Models.load(embedder="onnx", embed_model="missing.onnx")
    with pytest.raises(InputError, match=r"missing\.txt"):
        Models.load(det="mot:missing.txt", embedder="none")
    models = Models.load(embedder="onnx", embed_model=tiny_onnx(tmp_path / "colour.onnx"))
    assert models.shelf.names == {}
    assert models.shelf.take(detector=False, embedders=True).embedder.dim == 3


def test_the_detector_s_own_features_load_the_detector():
    models = Models.load(det="demo", imgsz=320, embedder="detector", device="cpu")
    assert models.shelf.names[0] == "person"


@pytest.mark.parametrize("flags", [{"match_iou": 0.3}, {"save_mot": "x"}, {"fps": 25}])
def test_settings_that_load_nothing_are_refused(flags):
    with pytest.raises(UsageError, match=r"Models\.load\(\) does not read"):
        Models.load(**flags)


def test_a_tracker_adds_settings_that_load_nothing():
    models = Models.load(embedder="none", conf=0.5, device="cpu")
    tracker = Tracker(models=models, min_hits=1, conf=0.5, fps=10)
    assert len(tracker.update([[0, 0, 9, 9, 0.45, 0], [20, 0, 40, 40, 0.9, 0]])) == 1


def test_a_setting_that_needs_other_models_is_refused():
    models = Models.load(embedder="none", device="cpu")
    with pytest.raises(UsageError, match=r"loaded without conf=0.7") as caught:
        Tracker(models=models, conf=0.7)
    assert caught.value.fix == "Give conf= to Models.load()."
