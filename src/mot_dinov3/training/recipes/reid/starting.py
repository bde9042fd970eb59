"""What a network begins with: weights of a file, of an earlier run, or none."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mot_dinov3.errors import ModelError, UsageError, find_path, not_installed, reason_of
from mot_dinov3.io.checkpoint import load_checkpoint
from mot_dinov3.nets.reid.network import ReidNetwork
from mot_dinov3.nets.reid.osnet import OSNet
from mot_dinov3.nets.reid.resnet import ResNetBackbone, load_classifier
from mot_dinov3.perception.features.reid_networks import CLIP, KIND, list_frozen
from mot_dinov3.runtime.git_lfs import refuse_pointer
from mot_dinov3.training.recipes.reid.ways import NONE

INSIDE = ("state_dict", "model", "net")
"""Entries that training programs store the weights of a network under."""
SAME = 1e-4
"""Vectors of length 1 that differ by less are the same."""


def load_start(network: ReidNetwork, backbone: str, init: str) -> None:
    """Give a network the weights that `--init` names.

    Args:
        network: with random weights; is changed.
        backbone: what it was built around.
        init: a run's folder, or a file .onnx, .pth, .pt or .safetensors; empty or `NONE` for
            random weights.

    Raises:
        UsageError: the file is of a kind that is not read.
        ModelError: it is missing, damaged, or of another network.
    """
    if init in ("", NONE):
        return
    path = Path(init).expanduser()
    if path.is_dir():
        _load_run(network, backbone, path)
    elif not path.is_file():
        raise ModelError(f"The --init '{init}' does not exist.", fix=find_path(path))
    elif path.suffix.lower() == ".onnx":
        load_onnx(network, path)
    else:
        load_named(network, read_weights(path), path.name)


def _load_run(network: ReidNetwork, backbone: str, path: Path) -> None:
    found = load_checkpoint(path, KIND)
    stored = found.config.recipe.get("backbone")
    if stored != backbone:
        raise UsageError(
            f"'{path}' holds a '{stored}' network, not '{backbone}'.",
            fix=f"Give --backbone {stored}, or another --init.",
        )
    weights = {
        name: torch.from_numpy(np.array(value))
        for name, value in found.weights.items()
        if not name.startswith(CLIP)
    }
    own = network.state_dict()
    given = {name: own[name] for name in list_frozen(network)}
    _load_whole(network, {**given, **weights}, str(path))


def read_weights(path: Path) -> Mapping[str, Tensor]:
    """Name -> tensor of a file of weights, without running any code in it.

    Raises:
        UsageError: the file is of another kind.
        ModelError: it is damaged, or holds something else.
    """
    refuse_pointer(path, ModelError)
    if path.suffix.lower() == ".safetensors":
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return dict(load_file(path))
        except (OSError, SafetensorError) as error:
            raise _build_damage_error(path, error) from error
    if path.suffix.lower() not in (".pth", ".pt", ".tar", ".bin"):
        raise UsageError(
            f"'{path.name}' is not a file that training can begin with.",
            fix="Give a .onnx, .pth, .pt or .safetensors file, or the --out folder of a run.",
        )
    try:
        found: Any = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, UnpicklingError, ValueError) as error:
        raise _build_damage_error(path, error) from error
    for name in INSIDE:
        if isinstance(found, dict) and isinstance(found.get(name), dict):
            found = found[name]
    named = isinstance(found, dict) and all(isinstance(one, Tensor) for one in found.values())
    if not named or not found:
        raise _build_damage_error(path, "it does not hold named tensors")
    return {str(name).removeprefix("module."): value for name, value in found.items()}


def load_named(network: ReidNetwork, weights: Mapping[str, Tensor], name: str) -> None:
    """Load weights as the authors of a backbone name them; those of classifiers are left out.

    Raises:
        ModelError: they are of another network.
    """
    if isinstance(network.backbone, OSNet):
        renamed = {
            f"project.{key[3:]}" if key.startswith("fc.") else f"backbone.{key}": value
            for key, value in weights.items()
            if not key.startswith("classifier.")
        }
        _load_whole(network, _with_own(network, renamed, ("pool.", "neck.")), name)
    elif isinstance(network.backbone, ResNetBackbone):
        load_classifier(network.backbone, weights)
    else:
        _load_whole(network, weights, name)


def load_onnx(network: ReidNetwork, path: Path) -> None:
    """Load OSNet from an ONNX file, whose export merged convolutions with their batch norms.

    A merged norm comes back as one that only adds the merged bias. That the network then answers
    as the file does is proved on two pictures.

    Raises:
        ModelError: a package is missing, the file is damaged, or is of another network.
    """
    if not isinstance(network.backbone, OSNet):
        raise ModelError(
            f"An ONNX file can be the start of OSNet only, and '{path.name}' was given for another "
            "backbone.",
            fix="Add --backbone osnet_x0_25 or osnet_x1_0, or give the weights as .pth.",
        )
    names, folded = _read_onnx(path)
    weights = {
        f"project.{key[3:]}" if key.startswith("fc.") else f"backbone.{key}": value
        for key, value in names.items()
    }
    own = network.state_dict()
    weights = {key: value for key, value in weights.items() if key in own}
    pairs = list(_merged_pairs(network.backbone))
    if len(pairs) != len(folded):
        raise _build_mismatch_error(path.name, f"it has {len(folded)} merged convolutions")
    for (conv, norm), (kernel, bias) in zip(pairs, folded, strict=True):
        size = len(bias)
        weights[f"backbone.{conv}.weight"] = kernel
        weights[f"backbone.{norm}.weight"] = torch.ones(size)
        weights[f"backbone.{norm}.bias"] = bias
        weights[f"backbone.{norm}.running_mean"] = torch.zeros(size)
        weights[f"backbone.{norm}.running_var"] = torch.full((size,), 1 - nn.BatchNorm2d(1).eps)
    _load_whole(network, _with_own(network, weights, ("pool.", "neck.")), path.name)
    _require_same_answers(network, path)


def _merged_pairs(backbone: OSNet) -> list[tuple[str, str]]:
    """Names of the convolutions that a batch norm follows at once, and of the norms, in order."""
    modules = list(backbone.named_modules())
    return [
        (name, follower)
        for (name, one), (follower, other) in pairwise(modules)
        if isinstance(one, nn.Conv2d) and isinstance(other, nn.BatchNorm2d)
    ]


def _read_onnx(path: Path) -> tuple[dict[str, Tensor], list[tuple[Tensor, Tensor]]]:
    """The tensors of a file by name, and kernel and bias of the merged convolutions in order."""
    try:
        import onnx
        from onnx import numpy_helper
    except ImportError as error:
        raise not_installed("onnx", "onnx", f"Reading weights from '{path.name}'") from error
    try:
        graph = onnx.load(str(path), load_external_data=False).graph
        tensors = {
            one.name: torch.from_numpy(numpy_helper.to_array(one).copy()).float()
            for one in graph.initializer
        }
        folded = [
            (tensors[node.input[1]], tensors[node.input[2]])
            for node in graph.node
            if node.op_type == "Conv" and len(node.input) == 3 and ".gate." not in node.input[1]
        ]
    except Exception as error:  # a damaged file goes wrong in any way
        raise _build_damage_error(path, error) from error
    return tensors, folded


def _with_own(
    network: ReidNetwork, weights: Mapping[str, Tensor], parts: tuple[str, ...]
) -> dict[str, Tensor]:
    """The weights, and the network's own for the parts and counters that no file has."""
    own = network.state_dict()
    kept = {
        key: value
        for key, value in own.items()
        if key.startswith(parts) or key.endswith("num_batches_tracked")
    }
    return {**kept, **weights}


def _load_whole(network: ReidNetwork, weights: Mapping[str, Tensor], name: str) -> None:
    own = network.state_dict()
    wrong = {key for key in own.keys() & weights.keys() if own[key].shape != weights[key].shape}
    wrong |= own.keys() ^ weights.keys()
    if wrong:
        raise _build_mismatch_error(name, f"{len(wrong)} do not fit, such as '{min(wrong)}'")
    network.load_state_dict(weights)


def _require_same_answers(network: ReidNetwork, path: Path) -> None:
    try:
        from onnxruntime import InferenceSession
    except ImportError:
        return
    session = InferenceSession(str(path), providers=["CPUExecutionProvider"])
    given = session.get_inputs()[0]
    batch, _, height, width = (
        side if isinstance(side, int) else usual
        for side, usual in zip(given.shape, (2, 3, 256, 128), strict=True)
    )
    generator = torch.Generator().manual_seed(0)
    pictures = torch.randn(max(2, batch), 3, height, width, generator=generator)
    parts = [session.run(None, {given.name: part.numpy()})[0] for part in pictures.split(batch)]
    theirs = torch.from_numpy(np.concatenate(parts))
    was = network.training
    with torch.no_grad():
        ours = network.eval()(pictures)
    network.train(was)
    unit = nn.functional.normalize
    apart = float((unit(theirs, dim=1) - unit(ours, dim=1)).abs().max())
    if not apart < SAME:
        raise _build_mismatch_error(path.name, f"its vectors differ by up to {apart:.1e}")


def _build_mismatch_error(name: str, reason: str) -> ModelError:
    return ModelError(
        f"The weights of '{name}' are of another network: {reason}.",
        fix="Choose the --backbone that they belong to, or --init none.",
    )


def _build_damage_error(path: Path, reason: Exception | str) -> ModelError:
    if isinstance(reason, UnpicklingError):
        reason = "it is damaged, or holds more than tensors"
    why = reason if isinstance(reason, str) else reason_of(reason)
    return ModelError(
        f"The weights in '{path.name}' cannot be read: {why}.",
        fix="Fetch the file again, or give another --init.",
    )
