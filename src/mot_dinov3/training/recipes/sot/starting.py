"""The backbone that learning begins with."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from mot_dinov3.errors import ModelError, UsageError
from mot_dinov3.io.checkpoint import read_checkpoint_config
from mot_dinov3.nets.reid.factory import build_network
from mot_dinov3.nets.reid.osnet import OSNet
from mot_dinov3.nets.sot.backbones import OsnetMaps
from mot_dinov3.perception.searchers.sot_networks import REID, create_backbone

OSNETS = ("osnet_x0_25", "osnet_x1_0")


def start_backbone(name: str) -> nn.Module:
    """Build the backbone that `--backbone` names, with the weights that there are.

    Raises:
        UsageError: the name makes no sense.
        ModelError: weights are missing, damaged, or of another network.
    """
    if not name.startswith(REID):
        return create_backbone(name)
    from mot_dinov3.training.recipes.reid.starting import load_start  # brings torchvision along

    path = Path(name.removeprefix(REID)).expanduser()
    kind = OSNETS[0]
    if path.is_dir():
        kind = str(read_checkpoint_config(path, "reid").recipe.get("backbone"))
    elif "x1_0" in path.name:
        kind = OSNETS[1]
    if kind not in OSNETS:
        raise UsageError(
            f"--backbone {name} is a '{kind}' network, which has no map of stride 8 and of 16.",
            fix=f"Give one that was trained with --backbone {' or '.join(OSNETS)}.",
        )
    network = build_network(kind)
    load_start(network, kind, str(path))
    if not isinstance(network.backbone, OSNet):
        raise ModelError(f"'{path}' is not an OSNet.", fix="Give another file.")
    return OsnetMaps(network.backbone)
