"""Networks for re-identification by the name of their backbone, and from checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mot_dinov3.errors import ModelError, UsageError
from mot_dinov3.io.checkpoint import ModelCheckpoint, load_checkpoint
from mot_dinov3.nets.reid.factory import build_network
from mot_dinov3.perception.features.crops import IMAGENET_MEAN, IMAGENET_STD, InputSpec
from mot_dinov3.perception.hub.files import model_directory
from mot_dinov3.perception.pretrained import load_fitting, load_model
from mot_dinov3.values import FloatArray

if TYPE_CHECKING:
    from mot_dinov3.nets.reid.network import ReidNetwork

KIND = "reid"
"""Of the checkpoints."""
DINO, LORA = "dinov3:", ":lora"
"""How a backbone of transformers is named: dinov3:ID_OR_DIR, and whether it learns."""
LORA_RANK = 8
CLIP = "clip."
"""How the names of weights begin that pool clips; runs on videos leave them beside a network."""


def create_network(backbone: str) -> ReidNetwork:
    """Build a network; a backbone of transformers has its weights, any other random ones.

    Args:
        backbone: a name of the table, or `dinov3:` and a hub id or a directory, with `:lora`
            behind it where the backbone is to learn.

    Raises:
        UnknownNameError: no such backbone.
        ModelError: the model cannot be found or loaded.
    """
    if not backbone.startswith(DINO):
        return build_network(backbone)
    from mot_dinov3.nets.reid.network import ReidNetwork
    from mot_dinov3.nets.reid.tokens import TokenBackbone

    name = backbone.removeprefix(DINO).removesuffix(LORA)
    if not name:
        raise UsageError(
            "--backbone dinov3: names no model.",
            fix="Give it as dinov3:facebook/dinov3-vits16-pretrain-lvd1689m, or dinov3:DIR.",
        )
    model = load_model(model_directory(name, f"--backbone {DINO}DIR"), "AutoModel", name)
    rank = LORA_RANK if backbone.endswith(LORA) else 0
    return ReidNetwork(TokenBackbone(model, rank))


def load_network(path: Path) -> tuple[ReidNetwork, ModelCheckpoint]:
    """Load what `train reid` left behind, ready to describe crops.

    Args:
        path: the folder of a run or of a checkpoint.

    Raises:
        ModelError: there is none, or it is damaged.
    """
    import numpy as np
    import torch

    found = load_checkpoint(path, KIND)
    if found.config.recipe.get("shared"):
        raise ModelError(
            f"'{path}' is a head for the maps of a detector, not a network for crops.",
            fix="Give --det detr:RUN --embedder shared with it.",
        )
    network = create_network(str(found.config.recipe.get("backbone", "")))
    weights = {
        name: torch.from_numpy(np.array(value))
        for name, value in found.weights.items()
        if not name.startswith(CLIP)
    }
    load_fitting(network, weights, list_frozen(network), path)
    merge = getattr(network.backbone, "merge", None)
    if merge is not None:
        merge()
    return network.eval(), found


def read_attention(found: ModelCheckpoint) -> dict[str, FloatArray]:
    """Weights of the `TemporalAttention` that learned with a network; none without a video."""
    weights = found.weights.items()
    return {name.removeprefix(CLIP): value for name, value in weights if name.startswith(CLIP)}


def list_frozen(network: ReidNetwork) -> set[str]:
    """Names of the weights that a checkpoint leaves out, as users have them anyway."""
    from mot_dinov3.nets.reid.tokens import TokenBackbone

    if not isinstance(network.backbone, TokenBackbone):
        return set()
    return {f"backbone.{name}" for name in network.backbone.list_frozen()}


def read_spec(found: ModelCheckpoint) -> InputSpec:
    """What the network of a checkpoint wants to see.

    Raises:
        ModelError: its settings are of no use.
    """
    config = found.config
    height, width = (int(config.sizes.get(name, 0)) for name in ("height_px", "width_px"))
    mean, std = (tuple(config.mean) or IMAGENET_MEAN), (tuple(config.std) or IMAGENET_STD)
    if len(mean) != 3 or len(std) != 3:
        raise ModelError(
            "The checkpoint's config.json has no three numbers for mean and std.",
            fix="Train again, or give another folder.",
        )
    (m0, m1, m2), (s0, s1, s2) = mean, std
    return InputSpec(height, width, (m0, m1, m2), (s0, s1, s2))
