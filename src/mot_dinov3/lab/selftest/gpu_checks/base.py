"""What the checks of the GPU path work with, and what they hand back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any, TypeAlias

import numpy as np

from mot_dinov3.config import DeviceConfig, EmbedderConfig
from mot_dinov3.lab.benchmarks.context import WIDTH, save_random_vit
from mot_dinov3.lab.selftest.base import MeasureContext
from mot_dinov3.lab.selftest.cases import CannotRunError
from mot_dinov3.lab.selftest.program import ProcessResult, end, start
from mot_dinov3.perception.features.backbone import NetworkEmbedder
from mot_dinov3.perception.features.base import Placement
from mot_dinov3.perception.features.factory import create_embedder
from mot_dinov3.runtime.device import create_synchroniser
from mot_dinov3.runtime.upload import FrameUpload
from mot_dinov3.values import FloatArray, Image

DRY_S = 600.0
"""After so many seconds a command of a dry run hangs."""
PERSON_WH = (90, 240)
"""Pixels of the people in a drawn crowd."""


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """What a check found.

    Attributes:
        holds: what was promised did hold.
        figures: what was measured, by name; the unit is in the name.
    """

    holds: bool
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GpuBench:
    """What a check works with.

    Attributes:
        context: the measure's own.
        device: torch device string; on "cpu" the checks are a dry run of their logic.
        ends_s: `perf_counter` when the time of the measure is up.
    """

    context: MeasureContext
    device: str
    ends_s: float

    @property
    def on_cuda(self) -> bool:
        """Whether this is no dry run."""
        return self.device.startswith("cuda")

    @property
    def precision(self) -> str:
        """Short numbers of the device; fp32 in a dry run."""
        return "fp16" if self.on_cuda else "fp32"

    @property
    def left_s(self) -> float:
        """Seconds until the time of the measure is up."""
        return self.ends_s - perf_counter()

    def run(self, *words: object, most_s: float = 60.0) -> ProcessResult:
        """Run the command line.

        Args:
            words: behind the program.
            most_s: it may take so many seconds on a GPU, and no more than are left.

        Raises:
            BrokenPromiseError: it takes longer.
        """
        process = start(self.context.program, words, self.context.directory)
        return end(process, self.limit_s(most_s))

    def limit_s(self, most_s: float) -> float:
        """How many of `most_s` seconds a command may take; a dry run takes as long as it does."""
        return max(5.0, min(most_s, self.left_s)) if self.on_cuda else DRY_S

    def require_gpu(self) -> None:
        """Go on only on a GPU.

        Raises:
            CannotRunError: this is a dry run.
        """
        if not self.on_cuda:
            raise CannotRunError("a dry run")

    def save_vit(self, kind: str, width: int = WIDTH) -> Path:
        """The directory of a vision transformer with random weights, made once."""
        return save_random_vit(self.context.directory, kind, width)

    def load_vit(self, kind: str, precision: str, *, graphs: bool = True) -> NetworkEmbedder:
        """A ViT-S with random weights as a run would place it; the demo model in a dry run."""
        exports = str(self.context.directory / "exports")
        run = DeviceConfig(self.device, precision=precision, backend="torch", export_cache=exports)
        place = Placement(self.device, run, FrameUpload(self.device), graphs)
        model = str(self.save_vit(kind)) if self.on_cuda else "demo"
        embedder = create_embedder(EmbedderConfig(embed_model=model), place)
        assert isinstance(embedder, NetworkEmbedder)
        return embedder

    def measure_ms(self, work: Callable[[], object], rounds: int = 9) -> float:
        """The median milliseconds of some work, the device waited for; one call before counts."""
        synchronise = create_synchroniser(self.device)
        samples = []
        for _ in range(rounds + 1):
            synchronise()
            began_s = perf_counter()
            work()
            synchronise()
            samples.append((perf_counter() - began_s) * 1000)
        return round(float(np.median(samples[1:])), 3)


GpuCheck: TypeAlias = Callable[[GpuBench], CheckOutcome]
"""Checks one thing; raises `CannotRunError` where that cannot be tried."""


def draw_crowd(
    n: int, seed: int = 0, size: tuple[int, int] = (720, 1280), *, close: bool = False
) -> tuple[Image, FloatArray]:
    """A picture of noise and the boxes of `n` people in it.

    Args:
        n: people.
        seed: of the noise and the places.
        size: height and width of the picture.
        close: one more person stands close to the camera.
    """
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (*size, 3), np.uint8)
    corner = rng.uniform(0, 1, (n, 2)) * (np.array(size[::-1]) - PERSON_WH)
    boxes = np.hstack([corner, corner + PERSON_WH])
    if close:
        boxes = np.vstack([boxes, [[40, 20, size[1] * 0.45, size[0] - 20]]])
    return image, boxes.astype(np.float32)
