"""Networks that were exported for batches of one size."""

from __future__ import annotations

import numpy as np

from mot_dinov3.perception.backends.base import Network
from mot_dinov3.values import FloatArray


def fill_batches(network: Network, size: object) -> Network:
    """The network for batches of any size.

    Args:
        network: any.
        size: of its batches as its input's shape has it; a name or less than 1 where it is open.
    """
    return FixedBatch(network, size) if isinstance(size, int) and size > 0 else network


class FixedBatch:
    """A network of one batch size, for batches of any: they are filled up with copies.

    Attributes:
        title, precision, device: the network's own.
    """

    takes_tensors = False

    def __init__(self, network: Network, size: int) -> None:
        self.title, self.precision = network.title, network.precision
        self.device = network.device
        self._network = network
        self._size = size

    def __call__(self, pixels: FloatArray) -> tuple[FloatArray, ...]:
        """One forward pass for every `size` pictures; see `base.Network`."""
        parts = []
        for start in range(0, len(pixels), self._size):
            part = pixels[start : start + self._size]
            full = np.resize(part, (self._size, *part.shape[1:]))
            parts.append([output[: len(part)] for output in self._network(full)])
        return tuple(np.concatenate(outputs) for outputs in zip(*parts, strict=True))
