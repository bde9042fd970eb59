"""Checkpoints: what is stored comes back, and everything else is refused in one sentence."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from helpers.places import SOURCE
from mot_dinov3.errors import EXIT_MODEL, ModelError, OutputError
from mot_dinov3.io.checkpoint import (
    BEST,
    CheckpointConfig,
    ModelCheckpoint,
    load_checkpoint,
    save_checkpoint,
)

CONFIG = CheckpointConfig(
    kind="reid",
    sizes={"height_px": 256, "width_px": 128},
    classes=("person", "vehicle"),
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
    thresholds={"cosine_gate": 0.62},
    recipe={"name": "reid", "steps": 10},
)


def some_checkpoint(value=1.0):
    weights = {
        "layer.weight": np.full((3, 2), value, np.float32),
        "layer.half": np.arange(4, dtype=np.float16),
        "count": np.array(7),
        "turned": np.arange(6, dtype=np.float32).reshape(2, 3).T,
    }
    return ModelCheckpoint(CONFIG, weights, {"map": 0.71, "step": 10})


@pytest.fixture
def stored(tmp_path):
    save_checkpoint(tmp_path / "model", some_checkpoint())
    return tmp_path / "model"


def test_what_is_stored_comes_back(stored):
    loaded, meant = load_checkpoint(stored, "reid"), some_checkpoint()
    assert loaded.config == CONFIG
    assert loaded.metrics == meant.metrics
    assert loaded.weights.keys() == meant.weights.keys()
    for name, value in meant.weights.items():
        assert loaded.weights[name].dtype == value.dtype
        assert np.array_equal(loaded.weights[name], value)


def test_the_folder_holds_three_files_that_others_can_read(stored):
    from safetensors.numpy import load_file

    assert {path.name for path in stored.iterdir()} == {
        "config.json",
        "model.safetensors",
        "metrics.json",
    }
    assert json.loads((stored / "config.json").read_text())["kind"] == "reid"
    assert load_file(stored / "model.safetensors")["count"] == 7


def test_the_folder_of_a_run_stands_for_its_best_checkpoint(tmp_path):
    save_checkpoint(tmp_path / "run" / BEST, some_checkpoint(2.0))
    save_checkpoint(tmp_path / "run" / "last", some_checkpoint(3.0))
    assert load_checkpoint(tmp_path / "run", "reid").weights["layer.weight"][0, 0] == 2


def test_a_checkpoint_replaces_the_one_before_whole(stored):
    (stored / "stale.txt").touch()
    save_checkpoint(stored, some_checkpoint(5.0))
    assert load_checkpoint(stored, "reid").weights["layer.weight"][0, 0] == 5
    assert not (stored / "stale.txt").exists()
    assert [path.name for path in stored.parent.iterdir()] == ["model"]


def refusal(path, kind="reid"):
    with pytest.raises(ModelError) as caught:
        load_checkpoint(path, kind)
    assert caught.value.exit_code == EXIT_MODEL
    assert caught.value.fix
    assert "\n" not in caught.value.what
    return caught.value.what


def test_another_kind_is_refused(stored):
    said = refusal(stored, "detector")
    assert "is of kind 'reid', and one of kind 'detector' is needed" in said


def test_a_place_without_a_checkpoint_is_refused(tmp_path):
    assert "is not a checkpoint: it holds no config.json" in refusal(tmp_path)
    assert "is not a checkpoint: it is not a folder" in refusal(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    assert "it is not a folder" in refusal(tmp_path / "file")


@pytest.mark.parametrize("name", ["model.safetensors", "metrics.json"])
def test_a_missing_file_is_named(stored, name):
    (stored / name).unlink()
    assert f"{name}' of a checkpoint is missing" in refusal(stored)


@pytest.mark.parametrize("keep", [0, 20, -1])
def test_weights_that_were_cut_off_are_refused(stored, keep):
    path = stored / "model.safetensors"
    path.write_bytes(path.read_bytes()[:keep])
    assert "model.safetensors' of a checkpoint is damaged" in refusal(stored)


def test_a_single_changed_bit_is_seen(stored):
    path = stored / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert "is not the file that config.json describes" in refusal(stored)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{", id="no JSON"),
        pytest.param("[1]", id="no object"),
        pytest.param("\x00\xff", id="no text"),
    ],
)
def test_a_config_that_is_not_json_is_refused(stored, text):
    (stored / "config.json").write_bytes(text.encode("latin-1"))
    assert "config.json' of a checkpoint is damaged" in refusal(stored)


@pytest.mark.parametrize(("key", "value"), [("sizes", 3), ("mean", None), ("recipe", "x")])
def test_a_config_with_a_wrong_entry_is_refused(stored, key, value):
    document = json.loads((stored / "config.json").read_text())
    (stored / "config.json").write_text(json.dumps({**document, key: value}))
    assert "config.json' of a checkpoint is damaged" in refusal(stored)
    del document[key]
    (stored / "config.json").write_text(json.dumps(document))
    assert key in refusal(stored)


def test_another_format_is_refused(stored):
    document = json.loads((stored / "config.json").read_text())
    (stored / "config.json").write_text(json.dumps({**document, "format": 2}))
    assert "has format 2, and this version reads format 1" in refusal(stored)


def test_a_place_that_takes_no_folder_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="Cannot write"):
        save_checkpoint(tmp_path / "file" / "model", some_checkpoint())


def test_the_room_of_files_loads_no_torch(stored):
    code = (
        "import sys; from pathlib import Path; from mot_dinov3.io.checkpoint import *; "
        f"load_checkpoint(Path({str(stored)!r}), 'reid'); print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "False"
