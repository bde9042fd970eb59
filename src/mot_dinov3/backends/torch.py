"""Runs a torch module that is in memory already."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from mot_dinov3.backends.choice import Choice
from mot_dinov3.backends.problems import run_problem
from mot_dinov3.structures import FloatArray

if TYPE_CHECKING:
    import torch


class TorchNetwork:
    """A module in evaluation mode on a device, in the precision chosen.

    On CUDA fp16 halves the module itself; bf16, and fp16 elsewhere, is autocast, which keeps
    in float32 what needs it.

    Args:
        module: maps (B, 3, h, w) to a tensor, or to a sequence whose first tensors count.
        choice: backend and precision.
        device: torch device string.
        name: the model as the user knows it, for messages.

    Raises:
        DeviceError: it does not fit on the device.

    Attributes:
        title: backend and precision.
        precision: what it computes in.
        module: the module, placed.
    """

    title: str
    precision: str

    def __init__(self, module: Any, choice: Choice, device: str, name: str) -> None:  # noqa: ANN401
        self.title, self.precision = choice.title, choice.precision
        self.device = device
        self._name = name
        self._halved = choice.precision == "fp16" and device.startswith("cuda")
        try:
            placed = module.eval().requires_grad_(False).to(device)
            self.module = placed.half() if self._halved else placed
        except RuntimeError as error:
            raise run_problem(name, self.title, device, error) from error

    def __call__(self, pixels: FloatArray) -> tuple[FloatArray, ...]:
        """One forward pass; see `base.Network`."""
        import torch

        try:
            with torch.inference_mode(), self._autocast():
                fed = torch.from_numpy(np.ascontiguousarray(pixels)).to(self.device)
                answer = self.module(fed.half() if self._halved else fed)
                return tuple(tensor.float().cpu().numpy() for tensor in _tensors(answer))
        except RuntimeError as error:
            raise run_problem(self._name, self.title, self.device, error) from error

    def _autocast(self) -> AbstractContextManager[Any]:
        if self.precision == "fp32" or self._halved:
            return nullcontext()
        import torch

        kinds = {"fp16": torch.float16, "bf16": torch.bfloat16}
        context: AbstractContextManager[Any] = torch.autocast(
            self.device.partition(":")[0], dtype=kinds[self.precision]
        )
        return context


def _tensors(answer: Any) -> list[torch.Tensor]:  # noqa: ANN401 - whatever a module returns
    """The tensors of an answer, in order; what else it holds (losses, raw maps) is left out."""
    import torch

    parts = answer if isinstance(answer, (list, tuple)) else [answer]
    return [part for part in parts if isinstance(part, torch.Tensor)]
