"""Any re-identification network in ONNX format."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mot_dinov3.config import AUTO, DeviceConfig, EmbedderConfig
from mot_dinov3.errors import ModelError, UsageError, find_path
from mot_dinov3.perception.backends.base import Network
from mot_dinov3.perception.backends.batch import fill_batches
from mot_dinov3.perception.backends.cache import export_place
from mot_dinov3.perception.backends.choice import (
    INT8,
    ONNX,
    OPENVINO,
    TENSORRT,
    Choice,
    Older,
    choose_backend,
)
from mot_dinov3.perception.backends.load import load_network
from mot_dinov3.perception.features.backbone import NetworkOrigin
from mot_dinov3.perception.features.base import RE_IDENTIFICATION, Embedder, EmbedderKind, Placement
from mot_dinov3.perception.features.crops import IMAGENET_MEAN, IMAGENET_STD, InputSpec
from mot_dinov3.perception.features.exports import build_embedder, older_flag, resolve_model_name
from mot_dinov3.perception.features.gates import read_onnx_prior
from mot_dinov3.perception.features.precision import CheckedModel, settle_precision

logger = logging.getLogger("mot_dinov3")

DEFAULT_HEIGHT, DEFAULT_WIDTH = 256, 128
"""The shape of person crops in re-identification, for models that leave theirs open."""
SMALL_BYTES = 8 << 20
"""A smaller network is a lot of short operations, which onnxruntime starts faster. One crop through
OSNet x0.25 takes it 2.2 ms of one core, and OpenVINO bf16 3.4; of eight at once, 1.6 and 1.4 each.
A scheduled run mostly embeds one or two at once."""
FLOAT_TYPES = ("float32", "float16")


def load_onnx(config: EmbedderConfig, place: Placement) -> Embedder:
    """Load an ONNX model: one NCHW picture input, one vector output.

    Pictures are RGB, scaled to 0..1 and normalised with ImageNet's mean and std, or with the
    lists `mean` and `std` of the file's metadata. Models with a square input see square crops
    when `config.crop_square`; others were trained on crops that follow the box, and get those.

    Args:
        config: `embed_model` is the path of the file.
        place: where and how it runs.

    Raises:
        ModelError: no backend, no such file, not an ONNX model, or not one of pictures.
    """
    path = _require_file(resolve_model_name(config))
    able = (OPENVINO, ONNX, TENSORRT)
    run, older = keep_stored_numbers(place.config, path.name), older_flag(config)
    if prefers_onnxruntime(path, run, older, place.device):
        run = replace(run, backend=ONNX)
    choice = choose_backend(run, place.device, older, able=able, ready=True)

    def load(one: Choice) -> tuple[Network, InputSpec]:
        kept = export_place(place.config)
        network: Any = load_network(path, one, place.device, place=kept)
        shape = picture_shape(network, path.name)
        return fill_batches(network, shape[0]), spec_from_shape(shape, network.metadata)

    choice = settle_precision(choice, load, CheckedModel(path.name, path), place)
    network, spec = load(choice)
    return build_embedder(network, spec, config, place, NetworkOrigin(path.name, path))


ONNX_FILE = EmbedderKind(load_onnx, prior=RE_IDENTIFICATION, read_prior=read_onnx_prior)


def keep_stored_numbers(run: DeviceConfig, name: str) -> DeviceConfig:
    """The same settings without `--precision int8`, which a finished file `name` cannot follow."""
    if run.precision != INT8:
        return run
    logger.warning("--precision int8: '%s' keeps the numbers that are in it.", name)
    return replace(run, precision=AUTO)


def prefers_onnxruntime(path: Path, run: DeviceConfig, older: Older | None, device: str) -> bool:
    """Whether the automatic choice on a CPU is onnxruntime: for small files, where it is there."""
    free = run.backend == AUTO and run.precision == AUTO and older is None
    small = path.stat().st_size < SMALL_BYTES
    return free and small and device == "cpu" and find_spec("onnxruntime") is not None


def spec_from_shape(shape: list[Any], metadata: Mapping[str, str]) -> InputSpec:
    """The input picture of a model whose input has `shape` (B, 3, h, w); open sizes get defaults.

    Args:
        shape: numbers; names or -1 for open sizes.
        metadata: the file's own notes; `mean` and `std` are three numbers each, for RGB in 0..1.
    """
    height, width = (size if isinstance(size, int) and size > 0 else 0 for size in shape[2:])
    if not height and not width:
        height, width = DEFAULT_HEIGHT, DEFAULT_WIDTH
    return InputSpec(
        height=height or width,
        width=width or height,
        mean=_three(metadata.get("mean"), IMAGENET_MEAN),
        std=_three(metadata.get("std"), IMAGENET_STD),
    )


def picture_shape(network: Any, name: str) -> list[Any]:  # noqa: ANN401 - of two backends
    """Shape of the only input, if it takes (B, 3, h, w) pictures.

    Raises:
        ModelError: it takes something else.
    """
    ports = list(zip(network.input_names, network.input_types, network.inputs, strict=True))
    shape: list[Any] = ports[0][2] if len(ports) == 1 else []
    fits = len(shape) == 4 and ports[0][1] in FLOAT_TYPES
    if not fits or (isinstance(shape[1], int) and shape[1] not in (3, -1)):
        given = ", ".join(f"{port} {kind} {list(sizes)}" for port, kind, sizes in ports)
        raise ModelError(
            f"'{name}' takes ({given}); an embedder takes one picture, float (batch, 3, h, w).",
            fix="Export the model with a single NCHW input.",
        )
    return shape


MOST_LETTERS = 60
"""Of a wrong note in a message."""


def _three(text: str | None, default: tuple[float, float, float]) -> tuple[float, float, float]:
    if text is None:
        return default
    try:
        values = json.loads(text) if "[" in text else re.split(r"[,\s]+", text.strip("() "))
        red, green, blue = (float(value) for value in values)
    except (ValueError, TypeError, RecursionError) as error:
        raise ModelError(
            f"The ONNX file's metadata has '{text[:MOST_LETTERS]}' where three numbers should be.",
            fix="Write mean and std as [0.485, 0.456, 0.406] into its metadata_props.",
        ) from error
    return red, green, blue


def _require_file(name: str) -> Path:
    if not name:
        raise UsageError(
            "--embedder onnx needs a model file.", fix="Add --embed-model path/to/model.onnx"
        )
    path = Path(name).expanduser()
    if not path.is_file():
        what = "is not a regular file" if path.exists() else "does not exist"
        what = "is a directory" if path.is_dir() else what
        raise ModelError(f"The --embed-model '{name}' {what}.", fix=find_path(path))
    if path.suffix.lower() == ".xml":
        raise UsageError(
            f"'{path.name}' is not an ONNX file but an OpenVINO model.",
            fix="Use --embedder openvino.",
        )
    return path
