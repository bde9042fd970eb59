"""Writes checkpoints of re-identification as training leaves them, from random weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mot_dinov3.io.checkpoint import CheckpointConfig, ModelCheckpoint, save_checkpoint
from mot_dinov3.nets.reid.factory import build_network
from mot_dinov3.nets.reid.network import ReidNetwork
from mot_dinov3.perception.features.crops import IMAGENET_MEAN, IMAGENET_STD

SIZES = {"height_px": 64, "width_px": 32}


def write_run(folder: Path, backbone: str = "tiny", gate: float | None = 0.58) -> ReidNetwork:
    """Write a run's folder and return its network; moments of norms are those of no picture."""
    import torch

    torch.manual_seed(2)
    network = build_network(backbone).eval()
    for name, value in network.state_dict().items():
        if name.endswith("running_mean"):
            value.normal_(std=0.1)
        elif name.endswith("running_var"):
            value.uniform_(0.5, 1.5)
    config = CheckpointConfig(
        "reid",
        SIZES,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        thresholds={} if gate is None else {"cosine_gate": gate},
        recipe={"name": "reid", "backbone": backbone, "size": "64x32"},
    )
    weights = {name: np.asarray(value) for name, value in network.state_dict().items()}
    save_checkpoint(folder / "best", ModelCheckpoint(config, weights, {"step": 1}))
    return network
