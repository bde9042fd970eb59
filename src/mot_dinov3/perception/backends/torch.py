"""Runs a torch module that is in memory already, with recorded batches on a GPU."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from mot_dinov3.perception.backends.choice import Choice
from mot_dinov3.perception.backends.graphs import BUCKETS, BucketedRuns, CudaGraphs
from mot_dinov3.perception.backends.problems import describe_run_problem, lacks_memory, reason
from mot_dinov3.values import FloatArray

if TYPE_CHECKING:
    import torch

    Tensors: TypeAlias = tuple[torch.Tensor, ...]
    Select: TypeAlias = Callable[[Tensors, int], Tensors]

logger = logging.getLogger("mot_dinov3")


@dataclass(frozen=True, slots=True)
class TorchSettings:
    """How a module runs.

    Attributes:
        short: weights and intermediate results may be bf16 or fp16. Otherwise they are only with
            fp16 on CUDA; else autocast keeps in float32 what needs it, such as coordinates.
        graphs: record batches on CUDA.
        one_size: the module keeps something that belongs to the size of its pictures, see
            `graphs.BucketedRuns`.
        select: takes the outputs and the height of the pictures, and hands on what is fetched from
            the device.
    """

    short: bool = False
    graphs: bool = True
    one_size: bool = False
    select: Select | None = None


AS_USUAL = TorchSettings()


class TorchNetwork:
    """A module in evaluation mode on a device, in the precision chosen.

    On CUDA convolutions see channels last, the layout of tensor cores, and batches run as recorded
    graphs of fixed sizes; a module that cannot be recorded runs as it is, and that is said.

    Args:
        module: maps (B, 3, h, w) to a tensor, or to tensors; see `select_tensors`.
        choice: backend and precision.
        device: torch device string.
        name: the model as the user knows it, for messages.
        how: numbers and recording.

    Raises:
        DeviceFullError: it does not fit on the device.

    Attributes:
        title: backend and precision.
        precision: what it computes in.
        device: where it runs.
        module: the module, placed.
    """

    title: str
    precision: str
    takes_tensors = True

    def __init__(
        self,
        module: Any,  # noqa: ANN401 - a torch module
        choice: Choice,
        device: str,
        name: str,
        how: TorchSettings = AS_USUAL,
    ) -> None:
        import torch

        self.title, self.precision, self.device = choice.title, choice.precision, device
        self._name, self._select = name, how.select
        kinds = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
        on_cuda = device.startswith("cuda")
        short = how.short or (choice.precision == "fp16" and on_cuda)
        self._computed = kinds[choice.precision]
        self._kind = self._computed if short else torch.float32
        self._layout = torch.channels_last if on_cuda else torch.preserve_format
        self._recorded: BucketedRuns | None = None
        if how.graphs and on_cuda:
            self._recorded = BucketedRuns(CudaGraphs(self._forward), one_size=how.one_size)
        try:
            still = module.eval().requires_grad_(False)
            self.module: Any = still.to(device, self._kind, memory_format=self._layout)
        except RuntimeError as error:
            raise describe_run_problem(name, self.title, device, error) from error

    @property
    def buckets(self) -> tuple[int, ...]:
        """Sizes that batches are filled up to, smallest first; none where all run as they are."""
        return BUCKETS if self._recorded is not None else ()

    def __call__(self, pixels: FloatArray | torch.Tensor) -> tuple[FloatArray, ...]:
        """One forward pass; see `base.Network`. Pictures may be on the device already."""
        import torch

        try:
            with torch.inference_mode():
                given = torch.as_tensor(pixels).to(
                    self.device, self._kind, memory_format=self._layout
                )
                outputs = self._run(given)
                if self._select is not None:
                    outputs = self._select(outputs, given.shape[2])
                return fetch(outputs)
        except RuntimeError as error:
            if lacks_memory(error):
                torch.cuda.empty_cache()
            raise describe_run_problem(self._name, self.title, self.device, error) from error

    def _run(self, pixels: torch.Tensor) -> Tensors:
        if self._recorded is not None:
            try:
                return self._recorded(pixels)
            except RuntimeError as error:
                if lacks_memory(error):
                    raise
                message = "'%s' runs without CUDA graphs, so small batches take longer: %s."
                logger.warning(message, self._name, reason(error))
                self._recorded = None
        return self._forward(pixels)

    def _forward(self, pixels: torch.Tensor) -> Tensors:
        with self._casting():
            return select_tensors(self.module(pixels))

    def _casting(self) -> AbstractContextManager[Any]:
        if self._kind == self._computed:
            return nullcontext()
        import torch

        kind = self.device.partition(":")[0]
        context: AbstractContextManager[Any] = torch.autocast(kind, dtype=self._computed)
        return context


def fetch(outputs: Tensors) -> tuple[FloatArray, ...]:
    """The outputs as float32 arrays that the caller owns, waited for once.

    From CUDA they come in their own numbers through pinned memory, which the device writes itself.
    """
    import torch

    if not any(output.is_cuda for output in outputs):
        return tuple(output.float().cpu().numpy() for output in outputs)
    pinned = [torch.empty(one.shape, dtype=one.dtype, pin_memory=True) for one in outputs]
    for target, output in zip(pinned, outputs, strict=True):
        target.copy_(output, non_blocking=True)
    torch.cuda.current_stream(outputs[0].device).synchronize()
    return tuple(np.array(target.float().numpy()) for target in pinned)


def select_tensors(answer: Any) -> tuple[torch.Tensor, ...]:  # noqa: ANN401 - anything that a module returns
    """The first tensor of an answer and those beside it, in order.

    An answer may be nested, as that of a segmentation network is: ((boxes, masks), raw parts).
    Parts of other kinds (losses, raw maps) are left out.
    """
    import torch

    parts = answer if isinstance(answer, (list, tuple)) else [answer]
    while len(parts) and isinstance(parts[0], (list, tuple)):
        parts = parts[0]
    return tuple(part for part in parts if isinstance(part, torch.Tensor))
