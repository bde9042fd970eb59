"""A network that begins with what a detector, or another tracker, has learned."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mot_dinov3.errors import ModelError
from mot_dinov3.io.checkpoint import CONFIG_FILE, find_checkpoint, load_checkpoint
from mot_dinov3.nets.motr.network import MotrNetwork
from mot_dinov3.perception import motr_networks
from mot_dinov3.perception.detectors import detr_networks
from mot_dinov3.runtime.documents import read_json
from mot_dinov3.training.recipes.motr.published import rename
from mot_dinov3.training.recipes.reid.starting import read_weights


def start_network(network: MotrNetwork, name: str) -> int:
    """Give a network the weights of a run of `train detector` or `train motr`, where they fit.

    Layers that depend on the classes have other shapes where these differ, and begin anew.

    Args:
        network: has random weights.
        name: folder of the run, or a file of the authors' weights, see `published`.

    Returns:
        How many tensors were taken over.

    Raises:
        ModelError: there is no such run, it is damaged or of another kind, or nothing of it fits.
    """
    weights, own = _read(Path(name).expanduser()), network.state_dict()
    fitting = {
        key: value for key, value in weights.items() if key in own and own[key].shape == value.shape
    }
    if not any(key.startswith("head.") for key in fitting):
        raise ModelError(
            f"No weight of '{name}' fits this network.",
            fix="Give --init a run with the same --dim and, from train detector, with --head "
            "deformable.",
        )
    network.load_state_dict(fitting, strict=False)
    return len(fitting)


def _read(path: Path) -> Mapping[str, Tensor]:
    """The weights of a run or of a file, under our names.

    Raises:
        ModelError: they cannot be read, or are of another kind.
    """
    if path.is_file():
        return rename(read_weights(path))
    own = read_json(find_checkpoint(path) / CONFIG_FILE).get("kind") == motr_networks.KIND
    found = load_checkpoint(path, motr_networks.KIND if own else detr_networks.KIND)
    return {key: torch.from_numpy(np.array(value)) for key, value in found.weights.items()}
