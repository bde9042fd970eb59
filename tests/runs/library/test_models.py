from __future__ import annotations

import numpy as np
import pytest

from helpers.jobs import tiny_onnx
from mot_dinov3 import Models, Tracker, track
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
    boxes = [[0, 0, 9, 9, 0.45, 0], [20, 0, 40, 40, 0.9, 0]]
    assert len(Tracker(models=models, min_hits=1, fps=10).update(boxes)) == 1
    assert len(Tracker(models=models, conf=0.4, fps=10).update(boxes)) == 2
    assert len(Tracker(models=models, classes=3, fps=10).update(boxes)) == 0


def test_a_setting_that_needs_other_models_is_refused():
    models = Models.load(embedder="none", device="cpu")
    with pytest.raises(UsageError, match=r"loaded without imgsz=320") as caught:
        Tracker(models=models, imgsz=320)
    assert caught.value.fix == "Give imgsz= to Models.load()."


@pytest.fixture
def scene(tmp_path):
    """Boxes of two classes and of several scores, in every frame of a clip."""
    rows = [
        "{f},-1,10,20,40,60,0.9,1,1",
        "{f},-1,60,20,40,60,0.8,3,1",
        "{f},-1,110,20,40,60,0.3,3,1",
    ]
    text = "\n".join(row.format(f=frame) for frame in range(1, 6) for row in rows)
    (tmp_path / "det.txt").write_text(text)
    return f"mot:{tmp_path / 'det.txt'}"


IMAGE = np.zeros((120, 160, 3), np.uint8)


@pytest.mark.parametrize(
    ("flags", "found"),
    [({}, 3), ({"classes": "car"}, 2), ({"classes": "car", "low_conf": 0.5, "conf": 0.5}, 1)],
)
def test_trackers_may_want_less_of_one_detector(scene, flags, found):
    models = Models.load(det=scene, embedder="none", device="cpu")
    Tracker(models=models, fps=10).track(IMAGE)
    result = Tracker(models=models, fps=10, **flags).track(IMAGE)
    alone = Tracker(det=scene, embedder="none", device="cpu", fps=10, **flags).track(IMAGE)
    assert len(result.detections) == len(alone.detections) == found
    assert result.tracks.id.tolist() == alone.tracks.id.tolist()


@pytest.mark.parametrize(
    ("shared", "own", "message"),
    [
        ({"classes": "car"}, {"classes": "pedestrian"}, "finds classes='car' alone"),
        ({"classes": "car"}, {"classes": ""}, "finds classes='car' alone"),
        ({"low_conf": 0.2}, {"low_conf": 0.1}, "leaves out boxes below 0.2, .* from 0.1 on"),
        ({}, {"classes": "cra"}, "no class 'cra'"),
    ],
)
def test_what_a_shared_detector_leaves_out_is_an_error(scene, shared, own, message):
    models = Models.load(det=scene, embedder="none", device="cpu", **shared)
    with pytest.raises(UsageError, match=message):
        Tracker(models=models, fps=10, **own).track(IMAGE)


def test_a_model_of_another_package_is_refused():
    for call in (lambda: Tracker(models="yolov8n.pt"), lambda: track("a.mp4", models=object())):
        with pytest.raises(UsageError, match="not Models of this package") as caught:
            call()
        assert "Models.load(" in caught.value.fix
