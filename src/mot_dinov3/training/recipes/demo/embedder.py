"""The demo embedder: a small DINOv2-shaped transformer, taught who is who on random streets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize
from transformers import BitImageProcessor, Dinov2Config, Dinov2Model

from mot_dinov3.config import EmbedderConfig
from mot_dinov3.io.checkpoint import CheckpointConfig
from mot_dinov3.perception.features.crops import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    InputSpec,
    cpu_batch,
    crop_windows,
)
from mot_dinov3.training.recipes.base import BatchSource, Recipe, new_default
from mot_dinov3.training.recipes.demo.scenes import StreetPool, View
from mot_dinov3.values import FloatArray, IntArray

IMAGE_PX, PATCH_PX, WIDTH = 96, 16, 96
SPEC = InputSpec(IMAGE_PX, IMAGE_PX, bicubic=True)
IDS_PER_STREET = 1000
"""More than the objects of any street: labels of different streets differ."""


@dataclass(frozen=True, slots=True)
class EmbedderRecipe(Recipe[None, "tuple[Tensor, Tensor]"]):
    """How the demo embedder is trained.

    Attributes:
        streets: streets per step; people of different streets are different people.
        views: frames that are drawn of a street.
        uses: steps that a street is used for.
        crops: crops per step.
        temperature: of the contrastive loss; lower pushes look-alikes harder apart.
        least_visible: crops that show a smaller share of their object are left out.
        jitter: how far the sides of a box wander, as a share of its size: detectors err.
    """

    rate: float = new_default(Recipe, "rate", 1.2e-3)
    decay: float = new_default(Recipe, "decay", 5e-2)
    clip: float = new_default(Recipe, "clip", 1.0)
    ema: int = new_default(Recipe, "ema", 200)
    streets: int = 3
    views: int = 24
    uses: int = 12
    crops: int = 168
    temperature: float = 0.1
    least_visible: float = 0.35
    jitter: float = 0.04

    @property
    def kind(self) -> str:
        """The name of these checkpoints."""
        return "demo-embedder"

    def open_data(self) -> None:
        """Nothing: streets are drawn."""

    def build(self, data: None) -> nn.Module:
        """The architecture with random weights."""
        return build_embedder()

    def batches(self, data: None, rank: int) -> BatchSource[tuple[Tensor, Tensor]]:
        """Crops of random streets and their identities."""
        return CropBatches(self)

    def loss(
        self, model: nn.Module, batch: tuple[Tensor, Tensor], turn: str
    ) -> Mapping[str, Tensor]:
        """The contrastive loss of the class tokens."""
        pixels, label = batch
        token = model(pixel_values=pixels).last_hidden_state[:, 0]
        return {"contrast": contrastive_loss(normalize(token, dim=1), label, self.temperature)}

    def describe(self, data: None) -> CheckpointConfig:
        """Sizes and the normalisation of the input."""
        return CheckpointConfig(
            self.kind,
            sizes={"image_px": IMAGE_PX, "patch_px": PATCH_PX, "dim": WIDTH},
            mean=tuple(IMAGENET_MEAN),
            std=tuple(IMAGENET_STD),
        )


def build_embedder() -> Dinov2Model:
    """Build the architecture with random weights: 6 layers of width 96 over 6 x 6 patches."""
    return Dinov2Model(
        Dinov2Config(
            hidden_size=WIDTH,
            num_hidden_layers=6,
            num_attention_heads=3,
            mlp_ratio=3,
            image_size=IMAGE_PX,
            patch_size=PATCH_PX,
            layerscale_value=1.0,
            drop_path_rate=0.0,
        )
    )


def jitter_boxes(rng: np.random.Generator, xyxy: FloatArray, share: float) -> FloatArray:
    """Move the sides of (N, 4) boxes a little, as a detector does.

    Args:
        rng: decides how far.
        xyxy: (N, 4) float32, pixels.
        share: standard deviation of the moves, as a share of the box's size.
    """
    size = (xyxy[:, 2:] - xyxy[:, :2])[:, [0, 1, 0, 1]]
    return xyxy + np.asarray(rng.normal(0, share, xyxy.shape) * size, np.float32)


def cut_crops(
    rng: np.random.Generator, view: View, recipe: EmbedderRecipe
) -> tuple[Tensor, IntArray]:
    """Cut the objects of a frame as the tracker does.

    Args:
        rng: decides how the boxes wander.
        view: the frame and the objects in it.
        recipe: which objects count, and how far boxes wander.

    Returns:
        (N, 3, size, size) float32 normalised RGB, and (N,) identity labels unique over streets.
    """
    truth = view.truth[view.truth.visibility >= recipe.least_visible]
    image, shape = view.frame.image, EmbedderConfig()
    xyxy = jitter_boxes(rng, truth.xyxy, recipe.jitter)
    windows = crop_windows(
        xyxy, (image.shape[1], image.shape[0]), SPEC, shape.crop_pad, shape.crop_square
    )
    if not len(windows):
        return torch.empty(0, 3, IMAGE_PX, IMAGE_PX), np.empty(0, np.int64)
    label = truth.track_id[windows.rows] + IDS_PER_STREET * view.street
    return torch.from_numpy(cpu_batch(image, windows, SPEC)), label


def augment(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """Show crops under other light, and some of them partly covered.

    They are not mirrored: a handbag changes sides only when its owner turns round.

    Args:
        pixels: (N, 3, S, S) normalised RGB, left as it is.
        generator: decides everything.
    """
    n = len(pixels)
    gain = 1 + 0.16 * torch.randn(n, 1, 1, 1, generator=generator)
    tint = 1 + 0.03 * torch.randn(n, 3, 1, 1, generator=generator)
    out = (pixels + 2.0) * gain * tint - 2.0
    for row in torch.nonzero(torch.rand(n, generator=generator) < 0.3).flatten().tolist():
        height, width = (int(torch.randint(10, 45, (1,), generator=generator)) for _ in range(2))
        y, x = (int(torch.randint(0, IMAGE_PX, (1,), generator=generator)) for _ in range(2))
        colour = torch.randn(3, 1, 1, generator=generator)
        out[row, :, y : y + height, x : x + width] = colour
    return out


def contrastive_loss(vectors: Tensor, label: Tensor, temperature: float) -> Tensor:
    """Supervised contrastive loss (Khosla et al. 2020, eq. 2) over unit rows.

    Args:
        vectors: (N, D) unit rows.
        label: (N,) identity of each row; rows without a partner only serve as others.
        temperature: divides the cosines.
    """
    cosine = vectors @ vectors.T / temperature
    itself = torch.eye(len(label), dtype=torch.bool)
    cosine = cosine.masked_fill(itself, float("-inf"))
    log_share = cosine - cosine.logsumexp(dim=1, keepdim=True)
    partner = (label[:, None] == label[None, :]) & ~itself
    count = partner.sum(1)
    total = log_share.masked_fill(~partner, 0.0).sum(1)
    return -(total[count > 0] / count[count > 0]).mean()


class CropBatches:
    """Batches from the crops of a few streets, each street used for many steps.

    Drawing costs more than learning. The crops of a street are not part of the state: what drew
    them is, and draws them again.
    """

    def __init__(self, recipe: EmbedderRecipe) -> None:
        self._recipe = recipe
        self._rng = np.random.default_rng([recipe.seed, 13])
        self._light = torch.Generator().manual_seed(recipe.seed)
        self._pool = StreetPool(2 * recipe.seed + 1, streets=1, uses=recipe.views)
        count = 2 * recipe.streets
        self._origins: list[dict[str, Any]] = [{}] * count
        self._stock = [self._draw(slot) for slot in range(count)]
        self._age = [recipe.uses * slot // count for slot in range(count)]

    def _draw(self, slot: int) -> tuple[Tensor, IntArray]:
        self._origins[slot] = self._source_state()
        views = self._pool.take_views(self._recipe.views)
        parts = [cut_crops(self._rng, view, self._recipe) for view in views]
        return torch.cat([crops for crops, _ in parts]), np.concatenate([who for _, who in parts])

    def batch(self, number: int) -> tuple[Tensor, Tensor]:
        """The next step's crops and labels: as many from each of several streets."""
        recipe = self._recipe
        pixels, label = [], []
        for slot in self._rng.permutation(len(self._stock))[: recipe.streets].tolist():
            crops, who = self._stock[slot]
            rows = self._rng.permutation(len(who))[: recipe.crops // recipe.streets]
            pixels.append(crops[torch.from_numpy(rows)])
            label.append(torch.from_numpy(who[rows]))
            self._age[slot] += 1
            if self._age[slot] >= recipe.uses:
                self._stock[slot], self._age[slot] = self._draw(slot), 0
        return augment(torch.cat(pixels), self._light), torch.cat(label)

    def _source_state(self) -> dict[str, Any]:
        return {"rng": self._rng.bit_generator.state, "pool": self._pool.state_dict()}

    def _load_source(self, state: dict[str, Any]) -> None:
        self._rng.bit_generator.state = state["rng"]
        self._pool.load_state_dict(state["pool"])

    def state_dict(self) -> dict[str, Any]:
        """What decides all later batches."""
        return {
            "origins": list(self._origins),
            "age": list(self._age),
            "source": self._source_state(),
            "light": self._light.get_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state; the crops in stock are drawn again."""
        for slot, origin in enumerate(state["origins"]):
            self._load_source(origin)
            self._stock[slot] = self._draw(slot)
        self._age = list(state["age"])
        self._load_source(state["source"])
        self._light.set_state(state["light"])


def save_embedder(model: Dinov2Model, out: Path) -> None:
    """Write config, half precision safetensors and preprocessing as transformers reads them.

    Args:
        model: what `build_embedder` built; it is in half precision after this.
        out: the directory to write.
    """
    out.mkdir(parents=True, exist_ok=True)
    model.half().save_pretrained(out, safe_serialization=True)
    BitImageProcessor(
        size={"height": IMAGE_PX, "width": IMAGE_PX},
        do_center_crop=False,
        do_convert_rgb=True,
        image_mean=list(IMAGENET_MEAN),
        image_std=list(IMAGENET_STD),
    ).save_pretrained(out)
