"""The backbone of maps that learning begins with."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from mot_dinov3.errors import ModelError, UsageError
from mot_dinov3.io.checkpoint import read_checkpoint_config
from mot_dinov3.nets.maps.convolutions import OsnetMaps
from mot_dinov3.nets.reid.factory import build_network
from mot_dinov3.nets.reid.osnet import OSNet
from mot_dinov3.perception.map_backbones import REID, SOT, create_backbone
from mot_dinov3.perception.searchers.sot_networks import load_network
from mot_dinov3.training.recipes.reid.starting import load_start

OSNETS = ("osnet_x0_25", "osnet_x1_0")


def start_backbone(name: str, stages: int = 3, layers: int = 1) -> nn.Module:
    """Build the backbone that `--backbone` names, with the weights that there are.

    Args:
        name: `reid:FILE` of an OSNet or of a run of `train reid`, `sot:RUN` of `train sot`, or
            what `create_backbone` takes.
        stages: as there.
        layers: as there.

    Raises:
        UsageError: the name makes no sense.
        ModelError: weights are missing, damaged, or of another network.
    """
    if name.startswith(SOT):
        network, _ = load_network(Path(name.removeprefix(SOT)).expanduser())
        return network.backbone
    if not name.startswith(REID):
        return create_backbone(name, stages, layers)
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
