"""The demo embedder: a small DINOv2-shaped transformer, taught who is who on random streets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.functional import normalize
from transformers import BitImageProcessor, Dinov2Config, Dinov2Model

from mot_dinov3.config import EmbedderConfig
from mot_dinov3.perception.features.crops import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    InputSpec,
    cpu_batch,
    crop_windows,
)
from mot_dinov3.training.scenes import StreetPool, View
from mot_dinov3.training.schedule import (
    SmoothedModel,
    learning_rate,
    parameter_groups,
    set_learning_rate,
)
from mot_dinov3.values import FloatArray, IntArray

IMAGE_PX, PATCH_PX = 96, 16
SPEC = InputSpec(IMAGE_PX, IMAGE_PX, bicubic=True)
_STREETS_PER_STEP_IDS = 1000


@dataclass(frozen=True, slots=True)
class EmbedderRecipe:
    """How the demo embedder is trained.

    Attributes:
        steps: optimizer steps.
        streets: streets per step; people of different streets are different people.
        views: frames that are drawn of a street.
        uses: steps that a street is used for.
        crops: crops per step.
        peak_rate: highest learning rate of AdamW.
        decay: weight decay.
        temperature: of the contrastive loss; lower pushes look-alikes harder apart.
        least_visible: crops that show less of their object are left out.
        jitter: how far the sides of a box wander, as a share of its size: detectors err.
        seed: decides weights, streets and augmentation.
    """

    steps: int = 1500
    streets: int = 3
    views: int = 24
    uses: int = 12
    crops: int = 168
    peak_rate: float = 1.2e-3
    decay: float = 5e-2
    temperature: float = 0.1
    least_visible: float = 0.35
    jitter: float = 0.04
    seed: int = 0


def build_embedder() -> Dinov2Model:
    """The architecture with random weights: 6 layers of width 96 over 6 x 6 patches."""
    return Dinov2Model(
        Dinov2Config(
            hidden_size=96,
            num_hidden_layers=6,
            num_attention_heads=3,
            mlp_ratio=3,
            image_size=IMAGE_PX,
            patch_size=PATCH_PX,
            layerscale_value=1.0,
            drop_path_rate=0.0,
        )
    )


def jittered(rng: np.random.Generator, xyxy: FloatArray, share: float) -> FloatArray:
    """(N, 4) boxes whose sides moved a little, as a detector's do."""
    size = (xyxy[:, 2:] - xyxy[:, :2])[:, [0, 1, 0, 1]]
    moved: FloatArray = xyxy + (rng.normal(0, share, xyxy.shape) * size).astype(np.float32)
    return moved


def crops_of(
    rng: np.random.Generator, view: View, recipe: EmbedderRecipe
) -> tuple[torch.Tensor, IntArray]:
    """Crops of a frame's objects, cut as the tracker cuts them, and whose they are.

    Returns:
        (N, 3, size, size) float32 normalised RGB, and (N,) identity labels unique over streets.
    """
    truth = view.truth[view.truth.visibility >= recipe.least_visible]
    image, shape = view.frame.image, EmbedderConfig()
    xyxy = jittered(rng, truth.xyxy, recipe.jitter)
    windows = crop_windows(
        xyxy, (image.shape[1], image.shape[0]), SPEC, shape.crop_pad, shape.crop_square
    )
    if not len(windows):
        return torch.empty(0, 3, IMAGE_PX, IMAGE_PX), np.empty(0, np.int64)
    label = truth.track_id[windows.rows] + _STREETS_PER_STEP_IDS * view.street
    return torch.from_numpy(cpu_batch(image, windows, SPEC)), label


def augmented(pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Crops under other light, some partly covered; (N, 3, S, S) in and out.

    They are not mirrored: a handbag changes sides only when its owner turns round.
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


def contrastive_loss(
    vectors: torch.Tensor, label: torch.Tensor, temperature: float
) -> torch.Tensor:
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


class CropBank:
    """Crops of a few streets, each street used for many steps: drawing costs more than learning."""

    def __init__(self, recipe: EmbedderRecipe) -> None:
        self._recipe = recipe
        self._rng = np.random.default_rng([recipe.seed, 13])
        self._pool = StreetPool(2 * recipe.seed + 1, streets=1, uses=recipe.views)
        self._stock = [self._fresh() for _ in range(2 * recipe.streets)]
        self._age = [recipe.uses * i // len(self._stock) for i in range(len(self._stock))]

    def _fresh(self) -> tuple[torch.Tensor, IntArray]:
        views = self._pool.views(self._recipe.views)
        parts = [crops_of(self._rng, view, self._recipe) for view in views]
        return torch.cat([crops for crops, _ in parts]), np.concatenate([who for _, who in parts])

    def batch(self) -> tuple[torch.Tensor, torch.Tensor]:
        """One step's crops and labels: as many from each of several streets."""
        recipe = self._recipe
        pixels, label = [], []
        for slot in self._rng.permutation(len(self._stock))[: recipe.streets].tolist():
            crops, who = self._stock[slot]
            rows = self._rng.permutation(len(who))[: recipe.crops // recipe.streets]
            pixels.append(crops[torch.from_numpy(rows)])
            label.append(torch.from_numpy(who[rows]))
            self._age[slot] += 1
            if self._age[slot] >= recipe.uses:
                self._stock[slot], self._age[slot] = self._fresh(), 0
        return torch.cat(pixels), torch.cat(label)


def train_embedder(
    recipe: EmbedderRecipe, out: Path, say: Callable[[str], None] = lambda _: None
) -> Path:
    """Train from random weights and save a transformers directory at `out`.

    Args:
        recipe: how.
        out: the directory to write.
        say: gets a line of progress now and then.
    """
    torch.manual_seed(recipe.seed)
    generator = torch.Generator().manual_seed(recipe.seed)
    model = build_embedder().train()
    smoothed = SmoothedModel(model, horizon=max(1, min(200, recipe.steps // 4)))
    optimizer = torch.optim.AdamW(parameter_groups(model, recipe.decay), lr=recipe.peak_rate)
    bank = CropBank(recipe)
    for step in range(recipe.steps):
        pixels, label = bank.batch()
        set_learning_rate(optimizer, learning_rate(step, recipe.steps, recipe.peak_rate))
        token = model(pixel_values=augmented(pixels, generator)).last_hidden_state[:, 0]
        loss = contrastive_loss(normalize(token, dim=1), label, recipe.temperature)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        smoothed.update(model)
        if step % 50 == 0 or step == recipe.steps - 1:
            say(f"embedder step {step}: loss {float(loss.detach()):.3f} on {len(label)} crops")
    save_embedder(smoothed.model, out)
    return out


def save_embedder(model: nn.Module, out: Path) -> None:
    """Write config, half precision safetensors and preprocessing as transformers reads them."""
    out.mkdir(parents=True, exist_ok=True)
    model.half().save_pretrained(out, safe_serialization=True)
    BitImageProcessor(
        size={"height": IMAGE_PX, "width": IMAGE_PX},
        do_center_crop=False,
        do_convert_rgb=True,
        image_mean=list(IMAGENET_MEAN),
        image_std=list(IMAGENET_STD),
    ).save_pretrained(out)
