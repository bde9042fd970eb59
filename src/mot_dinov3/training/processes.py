"""One process or several that learn together, each on its own device.

Every process holds the whole model, begins with the same weights and looks at other batches;
gradients are averaged before each step, so the weights stay equal. They are averaged here and
not by a wrapper around the model, so that a recipe may call any method of it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any, NoReturn, Protocol

import torch
from torch import nn

from mot_dinov3.errors import UsageError, not_installed


class Processes(Protocol):
    """What the engine needs of the processes that learn together.

    Attributes:
        device: where this process computes, as torch names it.
        rank: number of this process; 0 writes the files.
        count: how many there are.
    """

    device: str
    rank: int
    count: int

    def average(self, parameters: Sequence[nn.Parameter]) -> None:
        """Replace the gradients by their mean over all processes."""
        ...

    def any(self, wish: bool) -> bool:
        """Whether any process wishes it; all get the same answer."""
        ...

    def gather(self, value: Any) -> list[Any]:  # noqa: ANN401 - any value that can be pickled
        """The values of all processes, by rank."""
        ...


class OneProcess:
    """Alone: nothing to agree on."""

    def __init__(self, device: str) -> None:
        self.device = device
        self.rank, self.count = 0, 1

    def average(self, parameters: Sequence[nn.Parameter]) -> None:
        """Nothing to average with."""

    def any(self, wish: bool) -> bool:
        """The own wish."""
        return wish

    def gather(self, value: Any) -> list[Any]:  # noqa: ANN401 - see `Processes`
        """The own value."""
        return [value]


class AcceleratedProcesses:
    """One of several processes that `--processes` or `accelerate launch` started."""

    def __init__(self, device: str) -> None:
        """Join the others.

        Args:
            device: "cpu" to compute there; else each process takes a device of its own.
        """
        from accelerate import Accelerator

        self._accelerator = Accelerator(cpu=device == "cpu", mixed_precision="no")
        self.device = str(self._accelerator.device)
        self.rank: int = self._accelerator.process_index
        self.count: int = self._accelerator.num_processes

    def average(self, parameters: Sequence[nn.Parameter]) -> None:
        """Replace the gradients by their mean over all processes, in one exchange.

        A parameter without a gradient counts as zero, so that all processes exchange alike.
        """
        parts = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        flat = torch.cat([part.flatten() for part in parts])
        mean = self._accelerator.reduce(flat, reduction="mean")
        for p, part in zip(parameters, mean.split([p.numel() for p in parameters]), strict=True):
            if p.grad is not None:
                p.grad.copy_(part.view_as(p))

    def any(self, wish: bool) -> bool:
        """Whether any process wishes it; all get the same answer."""
        votes = torch.tensor([float(wish)], device=self.device)
        return bool(self._accelerator.reduce(votes, reduction="sum").item() > 0)

    def gather(self, value: Any) -> list[Any]:  # noqa: ANN401 - see `Processes`
        """The values of all processes, by rank."""
        from accelerate.utils import gather_object

        return list(gather_object([value]))


def are_launched() -> bool:
    """Whether this process is one of several that were started to learn together."""
    return os.environ.get("WORLD_SIZE", "1") not in ("", "1")


def join_processes(device: str) -> Processes:
    """The processes that this one belongs to.

    Args:
        device: the torch device that was chosen.

    Raises:
        ModelError: there are several, and `accelerate` is not installed.
    """
    if not are_launched():
        return OneProcess(device)
    require_accelerate()
    return AcceleratedProcesses(device)


def require_accelerate() -> None:
    """Refuse to learn in several processes without the package for it.

    Raises:
        ModelError: `accelerate` is not installed.
    """
    if find_spec("accelerate") is None:
        raise not_installed("accelerate", "train", "Training in several processes")


def launch(count: int, device: str) -> NoReturn:
    """Turn this process into a launcher that runs the same command in `count` processes.

    Args:
        count: processes, one a GPU, or any number on the CPU.
        device: the torch device that was chosen.

    Raises:
        ModelError: `accelerate` is not installed.
        UsageError: there are fewer GPUs than processes.
    """
    require_accelerate()
    if device != "cpu" and torch.cuda.device_count() < count:
        raise UsageError(
            f"--processes {count} needs as many GPUs, and there are {torch.cuda.device_count()}.",
            fix="Ask for fewer processes, or add --device cpu.",
        )
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count)]
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, *launcher, *sys.argv])
