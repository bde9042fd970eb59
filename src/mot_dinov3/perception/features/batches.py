"""No more crops at once than the device's memory holds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mot_dinov3.errors import DeviceError, DeviceFullError
from mot_dinov3.perception.features.crops import CropWindows
from mot_dinov3.values import FloatArray

Describe = Callable[[CropWindows], FloatArray]
"""Cuts K windows and runs the network on them: (K, D)."""


class Batches:
    """Halves a batch that is too large for the device's memory, and remembers what fits.

    Args:
        name: the network as the user knows it, for messages.
        device: torch device string.

    Attributes:
        most: crops at once since memory ran out, 0 for no limit.
        halvings: how often it ran out.
    """

    def __init__(self, name: str, device: str) -> None:
        self.most = 0
        self.halvings = 0
        self._name = name
        self._device = device

    @property
    def title(self) -> str:
        """What became of the batches, to be added to a title; empty where all went well."""
        if not self.halvings:
            return ""
        times = "once" if self.halvings == 1 else f"{self.halvings} times"
        return f", out of memory {times}: batches of {self.most}"

    def run(self, windows: CropWindows, describe: Describe) -> FloatArray:
        """(K, D) for K windows, at least one, in as few batches as fit.

        Raises:
            DeviceError: not even one crop fits.
        """
        parts, start = [], 0
        while start < len(windows):
            part = windows[start : start + (self.most or len(windows))]
            try:
                parts.append(describe(part))
                start += len(part)
            except DeviceFullError as error:
                if len(part) == 1:
                    raise self._too_big() from error
                self.most = len(part) // 2
                self.halvings += 1
        return np.concatenate(parts)

    def _too_big(self) -> DeviceError:
        return DeviceError(
            f"Not even one crop of '{self._name}' fits into the memory of {self._device}.",
            fix="Use a smaller --embed-model, free the device, or run with --device cpu.",
        )
