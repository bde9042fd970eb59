"""A network that `train reid` taught to tell identities apart."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from mot_dinov3.config import AUTO, DeviceConfig, EmbedderConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.io.checkpoint import find_checkpoint, read_checkpoint_config
from mot_dinov3.perception.backends.choice import ONNX
from mot_dinov3.perception.features.base import RE_IDENTIFICATION, Embedder, EmbedderKind, Placement
from mot_dinov3.perception.features.exports import (
    Built,
    Pretrained,
    load_pretrained,
    older_flag,
    resolve_model_name,
)
from mot_dinov3.perception.features.gates import GATE, build_prior
from mot_dinov3.perception.features.onnx import SMALL_BYTES
from mot_dinov3.perception.features.reid_networks import KIND, load_network, read_spec
from mot_dinov3.values import SimilarityPrior


def load_reid(config: EmbedderConfig, place: Placement) -> Embedder:
    """Load the best checkpoint of a training run.

    Args:
        config: `embed_model` is the folder of the run, or of the checkpoint.
        place: where and how it runs.

    Raises:
        ModelError: there is no checkpoint of re-identification, or it is damaged.
    """
    directory = _require_checkpoint(config)
    run = place.config
    if place.device == "cpu" and _is_small(directory) and older_flag(config) is None:
        run = _prefer_onnxruntime(run)
    model = Pretrained(str(config.embed_model), directory, KIND, lambda: _build(directory))
    return load_pretrained(model, config, replace(place, config=run))


def read_prior(config: EmbedderConfig) -> SimilarityPrior:
    """The gate that training found for the vectors of this checkpoint.

    Raises:
        ModelError: there is no checkpoint.
    """
    return build_prior(
        read_checkpoint_config(_require_checkpoint(config), KIND).thresholds.get(GATE)
    )


REID_RUN = EmbedderKind(load_reid, prior=RE_IDENTIFICATION, read_prior=read_prior)


def _build(directory: Path) -> Built:
    network, found = load_network(directory)
    return network, read_spec(found)


def _require_checkpoint(config: EmbedderConfig) -> Path:
    name = resolve_model_name(config)
    if not name:
        raise UsageError(
            "--embedder reid needs the folder of a training run.",
            fix="Add --embed-model runs/reid",
        )
    return find_checkpoint(Path(name).expanduser())


def _is_small(directory: Path) -> bool:
    return (directory / "model.safetensors").stat().st_size < SMALL_BYTES


def _prefer_onnxruntime(run: DeviceConfig) -> DeviceConfig:
    """The settings with the backend that starts short operations fastest, where all is open."""
    free = run.backend == AUTO and run.precision == AUTO and find_spec("onnxruntime") is not None
    return replace(run, backend=ONNX) if free else run
