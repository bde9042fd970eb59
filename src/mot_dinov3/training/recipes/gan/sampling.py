"""Pictures out of a generator."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mot_dinov3.errors import ModelError
from mot_dinov3.io.checkpoint import load_checkpoint
from mot_dinov3.nets.gan.network import Generator
from mot_dinov3.training.recipes.gan.data import Pictures

KIND = "gan"
AT_ONCE = 64


def load_generator(path: Path) -> Generator:
    """The generator of a checkpoint or of a training run, ready to draw.

    Raises:
        ModelError: there is no checkpoint of a GAN, or it is damaged.
    """
    checkpoint = load_checkpoint(path, KIND)
    try:
        sizes = checkpoint.config.sizes
        generator = Generator(sizes["noise"], sizes["width"])
        weights = {name: torch.from_numpy(value) for name, value in checkpoint.weights.items()}
        generator.load_state_dict(weights)
    except (KeyError, RuntimeError) as error:
        raise ModelError(
            f"The checkpoint '{path}' does not hold the generator that its {error} tells of.",
            fix="Train again.",
        ) from error
    generator.eval()
    return generator


def draw_pictures(generator: Generator, count: int, seed: int) -> Pictures:
    """Draw pictures; the same seed and count give the same ones.

    Args:
        generator: on any device, in the mode that it is to draw in.
        count: how many, at least 1.
        seed: decides all.
    """
    random = torch.Generator().manual_seed(seed)
    noise = torch.randn(count, generator.noise, generator=random)
    device = next(generator.parameters()).device
    with torch.no_grad():
        parts = [as_pictures(generator(part.to(device))) for part in noise.split(AT_ONCE)]
    return np.concatenate(parts)


def as_pictures(made: Tensor) -> Pictures:
    """(B, 3, height, width) RGB from -1 to 1 -> BGR bytes."""
    levels = ((made.float() + 1) * 127.5).round().clamp(0, 255).byte()
    return np.ascontiguousarray(levels.permute(0, 2, 3, 1).cpu().numpy()[..., ::-1])


def as_batch(pictures: Pictures) -> Tensor:
    """BGR bytes -> (B, 3, height, width) RGB bytes."""
    return torch.from_numpy(np.ascontiguousarray(pictures[..., ::-1])).permute(0, 3, 1, 2)


def as_input(batch: Tensor) -> Tensor:
    """RGB bytes -> what networks see: numbers from -1 to 1."""
    return batch.float() / 127.5 - 1
