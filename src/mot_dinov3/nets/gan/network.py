"""A generator, a critic and an encoder of small upright pictures, shaped like a DCGAN.

Radford et al. 2016: convolutions of 4 x 4 that halve or double both sides. Pictures are RGB from
-1 to 1.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

HEIGHT_PX, WIDTH_PX = 128, 64
COARSE = (HEIGHT_PX // 16, WIDTH_PX // 16)
"""Height and width of the maps behind four halvings."""
MATCHED = 3
"""Number of the halving after which maps are compared: each cell sees a part of a body."""
MOST_LOG_VARIANCE = 8.0


class Generator(nn.Module):  # type: ignore[misc]  # torch is not typed here
    """Makes pictures from noise.

    Attributes:
        noise: length of a noise vector.
    """

    def __init__(self, noise: int, width: int) -> None:
        """Build it with random weights.

        Args:
            noise: length of a noise vector.
            width: channels before the last convolution; eight times as many at the beginning.
        """
        super().__init__()
        self.noise = noise
        rows, columns = COARSE
        layers: list[nn.Module] = [
            nn.Linear(noise, 8 * width * rows * columns, bias=False),
            nn.Unflatten(1, (8 * width, rows, columns)),
            *_norm_and_bend(8 * width),
        ]
        for times in (8, 4, 2):
            channels = times * width // 2
            double = nn.ConvTranspose2d(times * width, channels, 4, 2, 1, bias=False)
            layers += [double, *_norm_and_bend(channels)]
        self.layers = nn.Sequential(*layers, nn.ConvTranspose2d(width, 3, 4, 2, 1), nn.Tanh())

    def forward(self, noise: Tensor) -> Tensor:
        """(B, noise) -> (B, 3, height, width)."""
        pictures: Tensor = self.layers(noise)
        return pictures


def _norm_and_bend(channels: int) -> tuple[nn.Module, nn.Module]:
    return nn.BatchNorm2d(channels), nn.ReLU()


class Critic(nn.Module):  # type: ignore[misc]  # torch is not typed here
    """Scores how real pictures look. It has no batch norm: a picture is scored for itself."""

    def __init__(self, width: int, *, spectral: bool) -> None:
        """Build it with random weights.

        Args:
            width: channels after the first halving, eight times as many after the last.
            spectral: divide the weights of each layer by their spectral norm (Miyato et al. 2018).
        """
        super().__init__()
        bound = spectral_norm if spectral else nn.Identity()
        widths = (3, width, 2 * width, 4 * width, 8 * width)
        self.halvings = nn.ModuleList(
            nn.Sequential(bound(nn.Conv2d(before, after, 4, 2, 1)), nn.LeakyReLU(0.2))
            for before, after in pairwise(widths)
        )
        self.head = bound(nn.Linear(8 * width * COARSE[0] * COARSE[1], 1))

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, height, width) -> (B,) scores, and (B, 4 width, 16, 8) maps to compare."""
        maps, matched = pictures, pictures
        for number, halving in enumerate(self.halvings, 1):
            maps = halving(maps)
            matched = maps if number == MATCHED else matched
        return self.head(maps.flatten(1)).squeeze(1), matched


class Encoder(nn.Module):  # type: ignore[misc]  # torch is not typed here
    """Says which noise a picture may have come from."""

    def __init__(self, noise: int, width: int) -> None:
        """Build it with random weights; the arguments are as those of `Critic`."""
        super().__init__()
        layers: list[nn.Module] = []
        for before, times in ((3, 1), (width, 2), (2 * width, 4), (4 * width, 8)):
            layers += [nn.Conv2d(before, times * width, 4, 2, 1), *_norm_and_bend(times * width)]
        flat = 8 * width * COARSE[0] * COARSE[1]
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(flat, 2 * noise))

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, height, width) -> mean and logarithm of the variance, (B, noise) each."""
        mean, log_variance = self.layers(pictures).float().chunk(2, dim=1)
        return mean, log_variance.clamp(-MOST_LOG_VARIANCE, MOST_LOG_VARIANCE)


class GanNetwork(nn.Module):  # type: ignore[misc]  # torch is not typed here
    """All that learns together.

    Attributes:
        generator: makes the pictures.
        critic: tells them from real ones.
        encoder: finds noise for real ones; None without.
    """

    def __init__(
        self, noise: int, widths: tuple[int, int], *, spectral: bool, encodes: bool
    ) -> None:
        """Build all with random weights.

        Args:
            noise: length of a noise vector.
            widths: channels of the generator, and of the critic and the encoder.
            spectral: as for `Critic`.
            encodes: whether there is an encoder.
        """
        super().__init__()
        self.generator = Generator(noise, widths[0])
        self.critic = Critic(widths[1], spectral=spectral)
        self.encoder = Encoder(noise, widths[1]) if encodes else None

    def draw_noise(self, count: int) -> Tensor:
        """(count, noise) standard normal numbers where the weights are."""
        device = next(self.generator.parameters()).device
        return torch.randn(count, self.generator.noise, device=device)
