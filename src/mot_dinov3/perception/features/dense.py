"""One pass of a vision transformer over the whole picture, read inside every box.

Its cost does not grow with the number of boxes, so it beats crops in a crowd. A box is the mean of
the patches it covers, row by row; the picture is small, so distant people are a patch or two.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mot_dinov3.config import EmbedderConfig
from mot_dinov3.errors import ModelError
from mot_dinov3.perception.features.backbone import NetworkEmbedder, unit_rows
from mot_dinov3.perception.features.base import Embedder, EmbedderKind, Placement
from mot_dinov3.perception.features.dino import dino_directory, load_or_open
from mot_dinov3.perception.features.exports import Built, Pretrained, load_pretrained
from mot_dinov3.perception.features.pooling import pool_boxes
from mot_dinov3.perception.pretrained import input_spec, load_model, model_type_of
from mot_dinov3.runtime.documents import read_json
from mot_dinov3.values import FloatArray, Image
from mot_dinov3.values.boxes import area, clip

if TYPE_CHECKING:
    import torch

BINS = (2, 1)
"""Upper and lower half of a box are described apart."""


def load_dense(config: EmbedderConfig, place: Placement) -> Embedder:
    """Load a vision transformer that looks at the whole picture.

    Args:
        config: the model and `fallback_open` as for `dino`, and the size that pictures are shrunk
            to.
        place: where and how it runs.

    Raises:
        ModelError: the model cannot be found or loaded, or has no patches.
    """
    return load_or_open(_load_dense, config, place)


DENSE = EmbedderKind(load_dense)


def _load_dense(name: str, config: EmbedderConfig, place: Placement) -> DenseEmbedder:
    directory = dino_directory(name, config)
    patch = patch_size(directory, name)
    height, width = (max(round(side / patch), 1) for side in config.dense_hw)
    grid = height, width
    size = grid[0] * patch, grid[1] * patch

    def build() -> Built:
        from mot_dinov3.nets.pooled import PooledModel

        model_type_of(directory, name)
        model = load_model(directory, "AutoModel", name)
        spec = input_spec(directory, model.config, name)
        module = PooledModel(model, lambda output: patch_maps(output, grid[0] * grid[1]))
        return module, replace(spec, height=size[0], width=size[1])

    kind = f"patches {size[0]}x{size[1]}"
    whole = replace(config, crop_pad=0.0, crop_square=False)
    network = load_pretrained(Pretrained(name, directory, kind, build), whole, place)
    return DenseEmbedder(network, grid, config.dense_size)


def patch_size(directory: Path, name: str) -> int:
    """Pixels along a patch of the model in a directory.

    Raises:
        ModelError: it does not work on patches.
    """
    try:
        patch = read_json(directory / "config.json")["patch_size"]
    except (OSError, ValueError, KeyError, TypeError):
        patch = 0
    if not isinstance(patch, int) or patch < 1:
        raise ModelError(
            f"'{name}' does not divide pictures into patches.",
            fix="Choose a vision transformer for --embedder dense, such as DINOv2, or "
            "--embedder dino.",
        )
    return patch


def patch_maps(output: Any, patches: int) -> torch.Tensor:  # noqa: ANN401 - a transformers output
    """(B, 1 + registers + patches, D) hidden states -> (B, D, patches), the patches alone.

    Raises:
        ModelError: there are fewer tokens than patches.
    """
    tokens = output.last_hidden_state
    if tokens.ndim != 3 or tokens.shape[1] < patches:
        raise ModelError(
            f"The model answers with shape {tuple(tokens.shape)}, not with a token per patch.",
            fix="Choose a vision transformer for --embedder dense, such as DINOv2.",
        )
    maps: torch.Tensor = tokens[:, -patches:].transpose(1, 2)
    return maps


class DenseEmbedder:
    """Describes boxes by the patches of the whole picture that they cover.

    Args:
        network: turns the whole picture into its patch maps, flattened.
        grid: rows and columns of patches.
        size: of the pictures as the user gave it, such as "288x512".
    """

    whole_frame = True
    has_own_cost = True
    has_memory = False

    def __init__(self, network: NetworkEmbedder, grid: tuple[int, int], size: str) -> None:
        self._network = network
        self._grid = grid
        self._picture_size = size
        self.device = network.device
        self.dim = network.dim // (grid[0] * grid[1]) * BINS[0] * BINS[1]

    @property
    def title(self) -> str:
        """The model, the picture's size, and how it is used."""
        return f"{self._network.title}, whole pictures"

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the weights, and the size of the pictures."""
        return f"{self._network.fingerprint} on pictures of {self._picture_size}"

    def embed(self, image: Image, xyxy: FloatArray) -> FloatArray:
        """One vector per box for one pass over the picture; NaN for what is outside of it."""
        height, width = image.shape[:2]
        rows, columns = self._grid
        whole = np.array([[0, 0, width, height]], np.float32)
        features = self._network.embed(image, whole).reshape(-1, rows, columns)
        seen = area(clip(np.nan_to_num(xyxy), width, height)) > 0
        inside = np.isfinite(xyxy).all(axis=1) & seen
        cells = np.where(inside[:, None], xyxy, 0) * np.array(
            [columns / width, rows / height] * 2, np.float32
        )
        out = unit_rows(pool_boxes(features, cells.astype(np.float32), BINS))
        out[~inside] = np.nan
        return out
