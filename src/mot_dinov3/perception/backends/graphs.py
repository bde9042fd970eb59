"""Batches of a few fixed sizes, recorded once and replayed, so that a GPU launches each at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeAlias

from mot_dinov3.perception.backends.problems import lacks_memory

if TYPE_CHECKING:
    import torch

    Tensors: TypeAlias = tuple[torch.Tensor, ...]
    Forward: TypeAlias = Callable[[torch.Tensor], Tensors]

BUCKETS = (1, 2, 4, 8, 16, 32)
"""Sizes that are recorded; a batch is filled up to the next, a larger one is cut in pieces."""

WARM_UPS = 3
"""Runs before recording, in which libraries choose their kernels."""


class Recorded(Protocol):
    """A forward pass that always reads and writes the same memory.

    Attributes:
        pixels: what it reads, (bucket, 3, h, w).
        outputs: what it writes, valid until the next replay of any size.
    """

    pixels: torch.Tensor
    outputs: Tensors

    def replay(self) -> None:
        """Queue the pass."""


Record: TypeAlias = "Callable[[torch.Tensor], Recorded]"
"""Records a pass for pictures of this shape, kind and device."""


class BucketedRuns:
    """Runs batches of any size as recorded passes of a few sizes.

    The rows that fill a bucket up hold what was there before; their answers are cut off.

    Args:
        record: makes a pass for a batch of a bucket's size.
        one_size: the network keeps something that belongs to the size of its pictures and goes
            when pictures of another size come, which a recorded pass would go on reading.
    """

    def __init__(self, record: Record, *, one_size: bool = False) -> None:
        self._record = record
        self._one_size = one_size
        self._runs: dict[tuple[int, ...], Recorded] = {}

    def __call__(self, pixels: torch.Tensor) -> Tensors:
        """The outputs for (B, 3, h, w) pictures, in memory that the caller owns.

        Raises:
            RuntimeError: a pass cannot be recorded, or does not hold for pictures of this size.
        """
        import torch

        if self._one_size and any(known[1:] != pixels.shape[1:] for known in self._runs):
            self._runs.clear()
            raise RuntimeError("its head keeps what belongs to pictures of one size")
        parts = [self._one(part) for part in pixels.split(BUCKETS[-1])]
        return tuple(torch.cat(outputs) for outputs in zip(*parts, strict=True))

    def _one(self, pixels: torch.Tensor) -> Tensors:
        n = len(pixels)
        shape = (next(size for size in BUCKETS if size >= n), *pixels.shape[1:])
        if shape not in self._runs:
            self._runs[shape] = self._record(_zeros_like(pixels, shape))
        run = self._runs[shape]
        run.pixels[:n].copy_(pixels)
        run.replay()
        return tuple(output[:n].clone() for output in run.outputs)


def _zeros_like(pixels: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    """Zeros of another shape in the memory layout of `pixels`, which the network was placed for."""
    import torch

    zeros = pixels.new_zeros(shape)
    if pixels.is_contiguous(memory_format=torch.channels_last):
        return zeros.contiguous(memory_format=torch.channels_last)
    return zeros


class CudaGraphs:
    """Records passes as CUDA graphs, which share one pool of memory.

    See "CUDA Graphs" in PyTorch's notes: a pass is warmed up on a side stream, and then captured.
    Only what this thread does is watched meanwhile, for another one may be using the GPU, such as
    an encoder. A capture that fails is tried once more.
    """

    def __init__(self, forward: Forward) -> None:
        import torch

        self._forward = forward
        self._pool = torch.cuda.graph_pool_handle()

    def __call__(self, pixels: torch.Tensor) -> Recorded:
        """Record a pass that will read `pixels`.

        Raises:
            torch.OutOfMemoryError: the device has no room for it.
            RuntimeError: the network does something that cannot be recorded.
        """
        import torch

        try:
            return _CudaGraph(self._forward, pixels, self._pool)
        except RuntimeError as error:
            if lacks_memory(error):
                raise
            self._pool = torch.cuda.graph_pool_handle()
            return _CudaGraph(self._forward, pixels, self._pool)


class _CudaGraph:
    def __init__(self, forward: Forward, pixels: torch.Tensor, pool: object) -> None:
        import torch

        self.pixels = pixels
        with torch.cuda.device(pixels.device):
            side = torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                for _ in range(WARM_UPS):
                    forward(pixels)
            torch.cuda.current_stream().wait_stream(side)
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph, pool=pool, capture_error_mode="thread_local"):
                self.outputs = forward(pixels)

    def replay(self) -> None:
        """Queue the pass."""
        self._graph.replay()
