"""Our tensors against what each model's own image processor makes of the same crop."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from mot_dinov3.errors import ModelError
from mot_dinov3.perception.features.crops import IMAGENET_MEAN, cpu_batch, crop_windows
from mot_dinov3.perception.pretrained import input_spec, spec_from_processor

BOX = [40, 30, 190, 180]
TOLERANCE = 0.02
"""In units of the model's input: about one of 255 grey levels, from resizing uint8 or float."""


def ours_and_theirs(directory, picture, box=BOX):
    from transformers import AutoImageProcessor

    processor = AutoImageProcessor.from_pretrained(directory, local_files_only=True)
    spec = input_spec(directory, None, "it")
    windows = crop_windows(np.array([box], np.float32), (320, 240), spec, 0.0, True)
    x1, y1, x2, y2 = box
    rgb = np.ascontiguousarray(picture[y1:y2, x1:x2, ::-1])
    choice = {"do_center_crop": False} if directory.name != "dinov3" else {}
    if directory.name == "resnet":
        choice = {"crop_pct": 1.0}
    elif choice:
        choice["size"] = {"height": spec.height, "width": spec.width}
    theirs = processor(images=rgb, return_tensors="pt", **choice)["pixel_values"]
    return cpu_batch(picture, windows, spec), theirs.numpy()


@pytest.mark.parametrize("name", ["dinov2", "dinov3", "clip", "resnet"])
@pytest.mark.parametrize(
    "box",
    [
        pytest.param(BOX, id="shrunk"),
        pytest.param([100, 100, 130, 130], id="enlarged"),
        pytest.param([0, 0, 240, 240], id="shrunk four times"),
    ],
)
def test_a_square_crop_equals_the_models_own_processor(models, picture, name, box):
    ours, theirs = ours_and_theirs(models / name, picture, box)
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() < TOLERANCE


def test_without_a_processor_the_config_names_the_size(models):
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(models / "convnext")
    spec = input_spec(models / "convnext", config, "it")
    assert (spec.height, spec.width, spec.mean) == (64, 64, IMAGENET_MEAN)


def test_the_size_is_the_final_one():
    settings = {
        "size": {"shortest_edge": 256},
        "crop_size": {"height": 224, "width": 200},
        "image_mean": [0.1, 0.2, 0.3],
        "image_std": 0.5,
        "resample": 3,
    }
    cut = spec_from_processor({**settings, "do_center_crop": True})
    assert (cut.height, cut.width, cut.mean) == (224, 200, (0.1, 0.2, 0.3))
    assert cut.std == (0.5, 0.5, 0.5)
    assert cut.bicubic
    assert spec_from_processor(settings).height == 256


def test_a_processor_that_neither_scales_nor_normalises_is_followed():
    settings = {"size": {"height": 8, "width": 8}, "do_rescale": False, "do_normalize": False}
    spec = spec_from_processor(settings | {"resample": 2})
    assert (spec.rescale, spec.mean, spec.std) == (1, (0, 0, 0), (1, 1, 1))
    assert not spec.bicubic


@pytest.mark.parametrize(
    "text", ["not json", json.dumps({"image_processor_type": "NoSuchProcessor"}), "[]"]
)
def test_a_damaged_processor_file_is_a_sentence(models, tmp_path, text):
    broken = tmp_path / "broken"
    shutil.copytree(models / "dinov3", broken)
    (broken / "preprocessor_config.json").write_text(text)
    with pytest.raises(ModelError, match=r"preprocessor_config\.json of 'it' cannot be used"):
        input_spec(broken, None, "it")


@pytest.mark.parametrize(
    "values",
    [
        {"size": {"height": 10**9, "width": 10**9}},
        {"size": {"height": -1, "width": 8}},
        {"size": {"height": "tall", "width": 8}},
        {"image_std": [0, 1, 1]},
        {"image_mean": [float("nan"), 1, 1]},
        {"image_mean": ["red", 1, 1]},
        {"image_mean": [1, 1]},
        {"rescale_factor": 1e400},
    ],
)
def test_impossible_pictures_are_a_sentence(models, tmp_path, values):
    broken = tmp_path / "broken"
    shutil.copytree(models / "dinov3", broken)
    path = broken / "preprocessor_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))
    with pytest.raises(ModelError):
        input_spec(broken, None, "it")
