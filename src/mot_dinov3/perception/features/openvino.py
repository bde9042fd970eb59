"""Any re-identification network in OpenVINO's format, such as those of the Open Model Zoo."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mot_dinov3.config import EmbedderConfig
from mot_dinov3.errors import ModelError, UsageError, find_path
from mot_dinov3.perception.backends.base import Network
from mot_dinov3.perception.backends.batch import fill_batches
from mot_dinov3.perception.backends.choice import OPENVINO, Choice, choose_backend
from mot_dinov3.perception.backends.load import load_network
from mot_dinov3.perception.backends.openvino import read_notes
from mot_dinov3.perception.backends.openvino_setup import import_openvino
from mot_dinov3.perception.features.backbone import NetworkOrigin
from mot_dinov3.perception.features.base import RE_IDENTIFICATION, Embedder, EmbedderKind, Placement
from mot_dinov3.perception.features.crops import InputSpec
from mot_dinov3.perception.features.exports import build_embedder, older_flag, resolve_model_name
from mot_dinov3.perception.features.onnx import (
    keep_stored_numbers,
    picture_shape,
    spec_from_shape,
)
from mot_dinov3.perception.features.precision import CheckedModel, settle_precision

logger = logging.getLogger("mot_dinov3")

NORMALISED_BY = ("mean_values", "scale_values", "scale")
"""Notes of the converter: with one of these the model does the arithmetic on 0..255 itself."""
REVERSED = "reverse_input_channels"
CAFFE = "caffe"


def load_openvino(config: EmbedderConfig, place: Placement) -> Embedder:
    """Load an OpenVINO model: an .xml file of one NCHW picture input and one vector output.

    What its pictures look like is read from the converter's notes in the file, see `read_spec` and
    `takes_bgr`. The batch size is left open where the model can do that.

    Args:
        config: `embed_model` is the path of the .xml file, with the .bin of the same name beside.
        place: where and how it runs; always on the CPU.

    Raises:
        ModelError: OpenVINO or a file is missing, or the model does not make one vector a picture.
        UsageError: another backend was asked for, or not an .xml file was given.
    """
    path = _require_model(resolve_model_name(config))
    run = keep_stored_numbers(place.config, path.name)
    if place.device != "cpu":
        logger.warning("OpenVINO runs '%s' on the CPU.", path.name)
    choice = choose_backend(run, "cpu", older_flag(config), able=(OPENVINO,), ready=True)

    def load(one: Choice) -> tuple[Network, InputSpec]:
        network: Any = load_network(path, one, "cpu", edit=prepare_model)
        shape = picture_shape(network, path.name)
        return fill_batches(network, shape[0]), read_spec(shape, network.metadata)

    on_cpu = replace(place, device="cpu", upload=None)
    choice = settle_precision(choice, load, CheckedModel(path.name, path), on_cpu)
    network, spec = load(choice)
    return build_embedder(network, spec, config, on_cpu, NetworkOrigin(path.name, path))


OPENVINO_FILE = EmbedderKind(load_openvino, prior=RE_IDENTIFICATION)


def read_spec(shape: list[Any], notes: Mapping[str, str]) -> InputSpec:
    """What a model wants to see: values of 0..255 if it normalises itself, else ImageNet's.

    Args:
        shape: of its input, (B, 3, h, w) with -1 for open sizes.
        notes: what the converter was told, such as `mean_values`.
    """
    spec = spec_from_shape(shape, {})
    if any(_has_numbers(notes.get(name, "")) for name in NORMALISED_BY):
        return replace(spec, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0), rescale=1.0)
    return spec


def takes_bgr(notes: Mapping[str, str]) -> bool:
    """Whether a model takes BGR pictures.

    It does if the converter reversed the channels of a network that was trained on RGB, as it did
    for every such network of the Open Model Zoo; and if it was trained with Caffe, which reads
    pictures as BGR.
    """
    return notes.get(REVERSED, "").lower() == "true" or notes.get("framework") == CAFFE


def prepare_model(model: Any, path: Path) -> Any:  # noqa: ANN401 - an openvino.Model
    """The model to run: of RGB pictures, and of any number of them where it can do that.

    Args:
        model: an `openvino.Model` as it was read.
        path: its file.

    Raises:
        ModelError: its first output is not a vector for every picture.
    """
    sizes = list(model.outputs[0].get_partial_shape())[1:]
    if not sizes or sum(size.is_dynamic or size.get_length() > 1 for size in sizes) > 1:
        shape = model.outputs[0].get_partial_shape()
        raise ModelError(
            f"'{path.name}' answers with the shape {shape}, not with one vector a picture.",
            fix="Give a re-identification model; a detector belongs after --det.",
        )
    out = _open_batch(model)
    return _reverse_channels(out) if takes_bgr(read_notes(model)) else out


def _open_batch(model: Any) -> Any:  # noqa: ANN401 - an openvino.Model
    """The model for batches of any size, or as it is where a size is written into its layers."""
    shape = model.inputs[0].get_partial_shape()
    if len(model.inputs) != 1 or len(shape) != 4:
        return model
    shape[0] = -1
    out = model.clone()
    try:
        out.reshape(shape)
    except RuntimeError:
        return model
    return out if out.outputs[0].get_partial_shape()[0].is_dynamic else model


def _reverse_channels(model: Any) -> Any:  # noqa: ANN401 - an openvino.Model
    """The model with its first step the exchange of red and blue."""
    openvino = import_openvino()
    steps = openvino.preprocess.PrePostProcessor(model)
    steps.input().model().set_layout(openvino.Layout("NCHW"))
    steps.input().tensor().set_layout(openvino.Layout("NCHW"))
    steps.input().preprocess().reverse_channels()
    return steps.build()


def _has_numbers(note: str) -> bool:
    """Whether a note such as "data[123.7,116.3,103.5]" or "255" has a number in it."""
    return re.search(r"(^|[\[(,\s])[\d.]+([\]),\s]|$)", note) is not None


def _require_model(name: str) -> Path:
    """The .xml file, if it and its .bin are there."""
    path = Path(name).expanduser()
    if path.suffix.lower() != ".xml":
        raise UsageError(
            "--embedder openvino needs an .xml file" + (f", not '{name}'." if name else "."),
            fix="Add --embed-model path/to/model.xml; for an .onnx file use --embedder onnx.",
        )
    for file in (path, path.with_suffix(".bin")):
        if not file.is_file():
            raise ModelError(
                f"The --embed-model '{name}' lacks the file '{file.name}'.",
                fix=f"Its .xml and its .bin have to lie side by side. {find_path(file)}",
            )
    return path
