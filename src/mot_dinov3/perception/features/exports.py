"""Pretrained vision models as embedders: built in torch, or exported once and found again."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from mot_dinov3.config import AUTO, BACKEND_TITLES, DeviceConfig, EmbedderConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.perception.assets import DEMO
from mot_dinov3.perception.backends.base import Network
from mot_dinov3.perception.backends.cache import ExportKey, export_place
from mot_dinov3.perception.backends.choice import (
    INT8,
    ONNX,
    TORCH,
    Choice,
    Older,
    choose_with_int8,
    resolve_precision,
)
from mot_dinov3.perception.backends.digest import weights_digest
from mot_dinov3.perception.backends.load import load_network, open_export
from mot_dinov3.perception.features.backbone import NetworkEmbedder, NetworkOrigin
from mot_dinov3.perception.features.base import Placement
from mot_dinov3.perception.features.crops import CropShape, InputSpec
from mot_dinov3.perception.features.precision import CheckedModel, settle_precision
from mot_dinov3.perception.pretrained import check_weights

if TYPE_CHECKING:
    import torch

Built: TypeAlias = "tuple[torch.nn.Module, InputSpec]"
"""A module that turns (B, 3, h, w) pictures into (B, D), and what it wants to see."""

logger = logging.getLogger("mot_dinov3")

SPEC_FILE = "input.json"
"""Beside an exported network: what it wants to see."""


@dataclass(frozen=True, slots=True)
class Pretrained:
    """A model in a directory, loaded only if no export of it is kept.

    Attributes:
        name: the model as the user knows it.
        directory: has its weights and settings, which tell it from others.
        kind: what is read off it, such as "class token"; part of what is exported.
        build: loads it with torch.
    """

    name: str
    directory: Path
    kind: str
    build: Callable[[], Built]


def resolve_model_name(config: EmbedderConfig, default: str = "") -> str:
    """The model of an embedder that the demo model is not one for: `--embed-model` or `default`.

    Raises:
        UsageError: the demo model was named.
    """
    if config.embed_model == DEMO:
        raise UsageError(
            f"--embed-model {DEMO} is a DINO model, not one for --embedder {config.embedder}.",
            fix="Leave out --embedder, or name another --embed-model.",
        )
    return config.embed_model or default


def load_pretrained(model: Pretrained, config: EmbedderConfig, place: Placement) -> NetworkEmbedder:
    """The model with the backend and precision that were asked for.

    Raises:
        UsageError: backend, precision and device do not go together.
        ModelError: the model cannot be loaded or exported, or a package is missing.
        DeviceError: it does not fit on the device, or the device is too old for the precision.
    """
    check_weights(model.directory, model.name)
    run, older = avoid_emulation(place.config, place.device, older_flag(config))
    choice = choose_with_int8(run, place.device, older, of="an embedder", by=ONNX)
    checked = CheckedModel(model.name, model.directory, model.kind)
    choice = settle_precision(choice, lambda one: _load(model, one, place), checked, place)
    if choice.precision == INT8:
        logger.warning(
            "int8 embeddings differ from exact ones: look at a run before you trust them."
        )
    network, spec = _load(model, choice, place)
    return build_embedder(network, spec, config, place, NetworkOrigin(model.name, model.directory))


def _load(model: Pretrained, choice: Choice, place: Placement) -> tuple[Network, InputSpec]:
    """The network of a model with one backend and precision, and what it wants to see."""
    if choice.backend != TORCH:
        return _from_export(model, choice, place)
    from mot_dinov3.perception.backends.torch import TorchNetwork, TorchSettings

    module, spec = model.build()
    how = TorchSettings(short=True, graphs=place.graphs)
    return TorchNetwork(module, choice, place.device, model.name, how), spec


def build_embedder(
    network: Network,
    spec: InputSpec,
    config: EmbedderConfig,
    place: Placement,
    origin: NetworkOrigin,
) -> NetworkEmbedder:
    """A loaded network as an embedder; crops are cut on a GPU where the network takes them so."""
    shape = CropShape(spec, config.crop_pad, config.crop_square and spec.square)
    cut = None
    on_cuda = network.device.startswith("cuda")
    if on_cuda and network.takes_tensors and place.upload is not None:
        from mot_dinov3.perception.features.device_crops import DeviceCrops

        cut = DeviceCrops(spec, place.upload)
    return NetworkEmbedder(network, shape, device=network.device, origin=origin, cut=cut)


def avoid_emulation(
    run: DeviceConfig, device: str, older: Older | None
) -> tuple[DeviceConfig, Older | None]:
    """The settings without fp16 on a CPU, which computes with it many times slower; that is said.

    Args:
        run: backend and precision as the user gave them.
        device: torch device string.
        older: an older flag that was given and asks for a precision too.

    Raises:
        UsageError: the two contradict each other.
    """
    if device != "cpu" or resolve_precision(run, older) != "fp16":
        return run, older
    flag = older.flag if older is not None else "--precision fp16"
    logger.warning("%s is many times slower than fp32 on a CPU: --precision auto is used.", flag)
    return replace(run, precision=AUTO), None


def older_flag(config: EmbedderConfig) -> Older | None:
    """What `--embed-amp` says about the precision, None where it says nothing."""
    if config.embed_amp == "auto":
        return None
    precision = "fp32" if config.embed_amp == "off" else config.embed_amp
    return Older(f"--embed-amp {config.embed_amp}", precision)


def _from_export(model: Pretrained, choice: Choice, place: Placement) -> tuple[Network, InputSpec]:
    key = ExportKey(
        name=Path(model.name).name,
        weights=weights_digest(model.directory),
        choice=choice,
        size=(0, 0),
        variant=model.kind,
        exporters=("torch", "transformers"),
    )

    def write(path: Path) -> None:
        from mot_dinov3.perception.features.exporting import export

        title = BACKEND_TITLES[choice.backend]
        logger.warning("Exporting '%s' to %s, to be kept for later runs.", model.name, title)
        module, spec = model.build()
        path.with_name(SPEC_FILE).write_text(json.dumps(asdict(spec)), encoding="utf-8")
        export(module, (spec.height, spec.width), key, path)

    with open_export(key, write, export_place(place.config)) as path:
        settings = json.loads(path.with_name(SPEC_FILE).read_text(encoding="utf-8"))
        kept = export_place(place.config)
        network = load_network(path, choice, place.device, place=kept)
        return network, spec_from_json(settings)


def spec_from_json(settings: dict[str, Any]) -> InputSpec:
    """An `InputSpec` from its own `asdict` after JSON has made lists of tuples."""
    listed = {name: tuple(settings[name]) for name in ("mean", "std")}
    return InputSpec(**{**settings, **listed})
