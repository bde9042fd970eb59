"""The device: chosen once, and waited for before a clock is read."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from mot_dinov3.errors import DeviceError, UsageError
from mot_dinov3.wording import program

DEVICE_NODES = Path("/dev")
GPU_NODES = ("nvidia*", "nvmap", "kfd", "dxg")
"""What Linux has there where a driver has found a GPU: NVIDIA, Tegra, AMD, WSL."""


def choose_device(asked: str = "auto") -> str:
    """The torch device string to run on: "cpu", "cuda:N" or "mps".

    Args:
        asked: one of them, "cuda", "N" for "cuda:N", or "auto".

    Raises:
        DeviceError: a device was asked for by name and is not there.
        UsageError: the name is not a device.
    """
    name = asked.strip().lower()
    if name == "cpu":
        return "cpu"
    kind, _, number = f"cuda:{name}".partition(":") if name.isdecimal() else name.partition(":")
    if kind not in ("auto", "cuda", "mps") or (number and not number.isdecimal()):
        raise UsageError(
            f"--device '{asked}' is not a device.",
            fix="Choose auto, cpu, cuda, cuda:N (or N alone) or mps; a run uses one device.",
        )
    if kind == "auto" and not may_have_gpu():
        return "cpu"
    import torch

    if kind == "auto":
        return _best_device(torch.cuda.is_available(), torch.backends.mps.is_available())
    if kind == "mps":
        if not torch.backends.mps.is_available():
            raise DeviceError("This machine has no MPS device.", fix="Use --device cpu or auto.")
        return "mps"
    return _cuda_device(int(number or 0))


def may_have_gpu() -> bool:
    """False where no torch could find a GPU; saves the seconds that importing it takes."""
    if sys.platform != "linux":
        return True
    return any(match for pattern in GPU_NODES for match in DEVICE_NODES.glob(pattern))


def _best_device(cuda: bool, mps: bool) -> str:
    return "cuda:0" if cuda else "mps" if mps else "cpu"


def _cuda_device(number: int) -> str:
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if number >= count:
        found = f"{count} CUDA device{'s' if count != 1 else ''}" if count else "no CUDA device"
        raise DeviceError(
            f"--device cuda:{number} was asked for, but torch {torch.__version__} finds {found}.",
            fix=f"Use --device cpu or auto, or run: {program()} doctor",
        )
    return f"cuda:{number}"


def create_synchroniser(device: str) -> Callable[[], None]:
    """Make a function that returns once all work queued on `device` is done; free on the CPU."""
    if device.startswith("cuda"):
        import torch

        return lambda: torch.cuda.synchronize(device)
    if device == "mps":
        import torch

        return lambda: torch.mps.synchronize()
    return lambda: None


def create_stopwatch(device: str) -> Callable[[Callable[[], object]], float]:
    """Make a function that does some work and returns the milliseconds it took.

    On CUDA it measures between two events on the device's stream: work that was queued before is
    not counted, and neither is the time until the host notices the end.
    """
    if not device.startswith("cuda"):
        clock = create_synchronised_clock(device)

        def time_work(work: Callable[[], object]) -> float:
            started_s = clock()
            work()
            return (clock() - started_s) * 1000

        return time_work
    import torch

    def time_events(work: Callable[[], object]) -> float:
        with torch.cuda.device(device):
            begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            begin.record()
            work()
            end.record()
            end.synchronize()
            return float(begin.elapsed_time(end))

    return time_events


def create_synchronised_clock(device: str) -> Callable[[], float]:
    """Make a clock in seconds that waits for `device` before it is read."""
    if device == "cpu":
        return perf_counter
    synchronise = create_synchroniser(device)

    def clock() -> float:
        synchronise()
        return perf_counter()

    return clock
