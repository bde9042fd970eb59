"""A trained detector as programs run it: pictures of 0 to 1 in, arrays out."""

from __future__ import annotations

import torch
from torch import nn

from mot_dinov3.nets.detr.network import DetrNetwork
from mot_dinov3.nets.maps.convolutions import Maps


class BackboneAlone(nn.Module):  # type: ignore[misc]
    """The maps of a detector's backbone.

    Args:
        network: in evaluation mode.
        mean: of the channels in RGB, as shares of 255.
        std: their standard deviation.
    """

    def __init__(
        self, network: DetrNetwork, mean: tuple[float, ...], std: tuple[float, ...]
    ) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1))

    def normalise(self, pixels: torch.Tensor) -> torch.Tensor:
        """(B, 3, H, W) RGB in 0..1 -> as the network wants it."""
        normal: torch.Tensor = (pixels - self.mean) / self.std
        return normal

    def forward(self, pixels: torch.Tensor) -> Maps:
        """(B, 3, H, W) RGB in 0..1 -> its maps."""
        return self.network.look(self.normalise(pixels))


class AnsweringDetr(BackboneAlone):
    """A detector as programs run it: pictures of 0 to 1 in, finished boxes out.

    Args:
        network: in evaluation mode.
        mean: of the channels in RGB, as shares of 255.
        std: their standard deviation.
        shows_maps: answer with the backbone's maps, too.
    """

    def __init__(
        self,
        network: DetrNetwork,
        mean: tuple[float, ...],
        std: tuple[float, ...],
        *,
        shows_maps: bool = False,
    ) -> None:
        super().__init__(network, mean, std)
        self.shows_maps = shows_maps

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(B, 3, H, W) RGB in 0..1 -> (B, Q, 6), and the maps where they are wanted.

        A row is x1, y1, x2, y2 in input pixels, then score and id of its best class.
        """
        normal = self.normalise(pixels)
        maps = self.network.look(normal)
        found = self.network.find(normal, maps)
        score, best = found.score.float().max(-1, keepdim=True)
        centre, sides = found.boxes.float().split(2, dim=-1)
        scale = torch.tensor([pixels.shape[3], pixels.shape[2]], device=pixels.device)
        corners = torch.cat([centre - sides / 2, centre + sides / 2], -1) * scale.repeat(2)
        rows = torch.cat([corners, score, best.to(score.dtype)], -1)
        return (rows, *maps) if self.shows_maps else (rows,)
