"""What training leaves behind: a folder with `config.json`, `model.safetensors`, `metrics.json`."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mot_dinov3.errors import ModelError, cannot_write, reason_of
from mot_dinov3.io.write.paths import reserve_partial_directory
from mot_dinov3.runtime.documents import read_json
from mot_dinov3.runtime.git_lfs import refuse_pointer
from mot_dinov3.runtime.opening import open_regular
from mot_dinov3.wording import program

FORMAT = 1
CONFIG_FILE, WEIGHTS_FILE, METRICS_FILE = "config.json", "model.safetensors", "metrics.json"
BEST = "best"
"""The folder inside a training run that holds the checkpoint to use."""

_REMEDY = f"Give the --out folder of a finished '{program()} train', or train again."

Weights = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class CheckpointConfig:
    """What a program must know of a model before it can use it; everything is JSON.

    Attributes:
        kind: what the model is, such as "reid" or "detector"; loaders refuse other kinds.
        sizes: lengths by name, such as {"height_px": 256, "width_px": 128, "dim": 512}.
        classes: names of the classes, the index is the class id; empty where there are none.
        mean: of the input's channels in RGB, as shares of 255; empty where it is not normalised.
        std: standard deviation of the input's channels, like `mean`.
        thresholds: recommended settings by name, such as {"cosine_gate": 0.62}.
        recipe: the settings that the model was trained with.
    """

    kind: str
    sizes: Mapping[str, int] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    thresholds: Mapping[str, float] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModelCheckpoint:
    """A model as it lies on the disk.

    Attributes:
        config: what the model is.
        weights: tensor name -> array, of any shape and number type that numpy knows.
        metrics: what the model reached when it was stored, by name.
    """

    config: CheckpointConfig
    weights: Weights
    metrics: Mapping[str, float]


def save_checkpoint(path: Path, checkpoint: ModelCheckpoint) -> None:
    """Write a checkpoint whole, in the place of the one that may be there.

    A reader finds the old checkpoint, the new one or, for an instant, none; never parts of both.

    Raises:
        OutputError: the folder cannot be written.
    """
    from safetensors.numpy import save_file

    partial = reserve_partial_directory(path)
    tensors = {name: np.asarray(value, order="C") for name, value in checkpoint.weights.items()}
    try:
        save_file(tensors, partial / WEIGHTS_FILE, metadata={"format": "pt"})
        digest = _sha256(partial / WEIGHTS_FILE)
        config = {"format": FORMAT, **asdict(checkpoint.config), "weights_sha256": digest}
        _write_json(partial / CONFIG_FILE, config)
        _write_json(partial / METRICS_FILE, dict(checkpoint.metrics))
        for file in partial.iterdir():
            _sync(file)
        _replace(path, partial)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise cannot_write(path, error) from error


def load_checkpoint(path: Path, kind: str) -> ModelCheckpoint:
    """Read the checkpoint at `path`, or the best one of the training run at `path`.

    Args:
        path: a checkpoint's folder, or the `--out` folder of a training run.
        kind: what the caller can use.

    Raises:
        ModelError: there is no checkpoint, it is of another kind, or it is damaged.
    """
    folder = find_checkpoint(path)
    document = _read_document(folder, kind)
    weights = _read_weights(folder / WEIGHTS_FILE, document.get("weights_sha256"))
    return ModelCheckpoint(_config_of(document, folder), weights, _read_json(folder / METRICS_FILE))


def read_checkpoint_config(path: Path, kind: str) -> CheckpointConfig:
    """Read what a checkpoint is without its weights; arguments as `load_checkpoint`.

    Raises:
        ModelError: there is no checkpoint, it is of another kind, or its settings are damaged.
    """
    folder = find_checkpoint(path)
    return _config_of(_read_document(folder, kind), folder)


def _read_document(folder: Path, kind: str) -> dict[str, Any]:
    document = _read_json(folder / CONFIG_FILE)
    if document.get("format") != FORMAT:
        raise ModelError(
            f"The checkpoint '{folder}' has format {document.get('format')!r}, and this version "
            f"reads format {FORMAT}.",
            fix="Use the version that wrote it, or train again.",
        )
    if document.get("kind") != kind:
        raise ModelError(
            f"The checkpoint '{folder}' is of kind '{document.get('kind')}', and one of kind "
            f"'{kind}' is needed.",
            fix=f"Give the folder of a model that was trained as '{kind}'.",
        )
    return document


def find_checkpoint(path: Path) -> Path:
    """The folder that holds the checkpoint named by `path`.

    Raises:
        ModelError: there is none.
    """
    for folder in (path, path / BEST):
        if (folder / CONFIG_FILE).is_file():
            return folder
    what = f"holds no {CONFIG_FILE}" if path.is_dir() else "is not a folder"
    raise ModelError(f"'{path}' is not a checkpoint: it {what}.", fix=_REMEDY)


def _config_of(document: Mapping[str, Any], folder: Path) -> CheckpointConfig:
    try:
        values = {item.name: document[item.name] for item in fields(CheckpointConfig)}
        for name in ("classes", "mean", "std"):
            values[name] = tuple(values[name])
        for name in ("sizes", "thresholds", "recipe"):
            values[name] = dict(values[name])
    except KeyError as error:
        raise _build_damage_error(folder / CONFIG_FILE, f"it has no entry {error}") from error
    except (TypeError, ValueError) as error:
        raise _build_damage_error(folder / CONFIG_FILE, reason_of(error)) from error
    return CheckpointConfig(**values)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        document = read_json(path)
    except (OSError, ValueError) as error:
        raise _build_damage_error(path, str(error)) from error
    if not isinstance(document, dict):
        raise _build_damage_error(path, "it does not hold a JSON object")
    return document


def _read_weights(path: Path, digest: object) -> Weights:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    refuse_pointer(path, ModelError)
    try:
        if _sha256(path) != digest:
            raise _build_damage_error(path, f"it is not the file that {CONFIG_FILE} describes")
        weights: Weights = load_file(path)
    except (OSError, SafetensorError) as error:
        raise _build_damage_error(path, str(error)) from error
    return weights


def _build_damage_error(path: Path, reason: str) -> ModelError:
    state = "damaged" if path.exists() else "missing"
    return ModelError(f"'{path}' of a checkpoint is {state}: {reason}.", fix=_REMEDY)


def _sha256(path: Path) -> str:
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_json(path: Path, document: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _replace(path: Path, partial: Path) -> None:
    """Give `partial` the name `path`; what was there is removed once it has been replaced."""
    old = path.with_name(f"{path.name}.replaced")
    shutil.rmtree(old, ignore_errors=True)
    if path.exists():
        path.rename(old)
    partial.rename(path)
    shutil.rmtree(old, ignore_errors=True)
