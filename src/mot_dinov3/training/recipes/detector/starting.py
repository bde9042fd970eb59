"""A head that begins with what another detector of the same kind has learned."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from mot_dinov3.errors import ModelError
from mot_dinov3.perception.backends.digest import list_model_files
from mot_dinov3.perception.hub.files import model_directory
from mot_dinov3.perception.pretrained import check_weights

BACKBONE = "model.backbone."


def start_head(head: nn.Module, name: str) -> int:
    """Give a head the weights of a detector of transformers, as far as they fit.

    Layers that depend on the classes or on the backbone have other shapes, and begin anew.

    Args:
        head: a model of transformers.
        name: hub id or directory of a detector of the same kind.

    Returns:
        How many tensors were taken over.

    Raises:
        ModelError: it cannot be found or read, or nothing of it fits.
    """
    from safetensors.torch import load_file

    directory = model_directory(name, "no --init-head")
    check_weights(directory, name)
    own, fitting = head.state_dict(), {}
    for file in list_model_files(directory):
        if Path(file).suffix != ".safetensors":
            continue
        for key, value in load_file(file).items():
            if not key.startswith(BACKBONE) and key in own and own[key].shape == value.shape:
                fitting[key] = value.to(torch.float32)
    if not fitting:
        raise ModelError(
            f"No weight of '{name}' fits this head.",
            fix="Give --init-head a detector of the same --head and --dim, such as "
            "SenseTime/deformable-detr for --head deformable.",
        )
    head.load_state_dict(fitting, strict=False)
    return len(fitting)
