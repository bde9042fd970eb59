"""What a crop costs by batch size, with each trick of this device and without."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mot_dinov3.config import DeviceConfig, EmbedderConfig
from mot_dinov3.errors import MotError
from mot_dinov3.lab.alone import on_one_core
from mot_dinov3.lab.benchmarks.base import Bar, Figures, Report, Row
from mot_dinov3.lab.benchmarks.bench import Bench
from mot_dinov3.lab.benchmarks.rounds import ratio_figures, rounds_of
from mot_dinov3.perception.features.base import Embedder, Placement
from mot_dinov3.perception.features.factory import create_embedder
from mot_dinov3.runtime.device import stopwatch
from mot_dinov3.runtime.upload import FrameUpload
from mot_dinov3.values import FloatArray, Image

SIZES = (1, 2, 4, 8, 16, 32)
LEAST_SPEEDUP = 3.0
"""How much faster the automatic choice must be than float32 in torch, for a ViT-S on one core."""

AUTO_LABEL = "auto"
FRAME = (720, 1280)
PERSON_WH = (90.0, 240.0)


@dataclass(frozen=True, slots=True)
class Way:
    """One way to embed.

    Attributes:
        label: what is different from the way above it.
        backend, precision: what runs.
        on_device: crops are cut on the device.
        graphs: batches are recorded.
    """

    label: str
    backend: str
    precision: str
    on_device: bool = False
    graphs: bool = False

    def embedder(self, config: EmbedderConfig, device: str, run: DeviceConfig) -> Embedder:
        """The embedder under test, made this way."""
        place = Placement(
            device,
            replace(run, backend=self.backend, precision=self.precision),
            FrameUpload(device) if self.on_device else None,
            self.graphs,
        )
        return create_embedder(config, place)


CPU_WAYS = (
    Way("torch fp32", "torch", "fp32"),
    Way("torch bf16", "torch", "bf16"),
    Way("onnxruntime fp32", "onnx", "fp32"),
    Way("onnxruntime int8", "onnx", "int8"),
    Way("OpenVINO fp32", "openvino", "fp32"),
    Way("OpenVINO bf16", "openvino", "bf16"),
    Way(AUTO_LABEL, "auto", "auto"),
)
GPU_WAYS = (
    Way("torch fp32, cut on the CPU", "torch", "fp32"),
    Way("+ cut on the device", "torch", "fp32", on_device=True),
    Way("+ fp16 weights", "torch", "fp16", on_device=True),
    Way(AUTO_LABEL, "auto", "auto", on_device=True, graphs=True),
)


def batch(bench: Bench) -> Report:
    """Milliseconds a crop at every batch size, way by way, in turn."""
    config, run, device = bench.config.embedder, bench.config.device, bench.device
    rounds = rounds_of(bench.settings.rounds)
    if device == "cpu":
        measured = on_one_core(measure, config, run, device, rounds)
    else:
        measured = measure(config, run, device, rounds)
    base = next(iter(measured.values()))
    bar = Bar("speedup", LEAST_SPEEDUP, at_least=True)
    judged = device == "cpu" and bool(bench.settings.random_vits)
    rows = [
        Row(label, figures_of(samples, base), bar if judged and label == AUTO_LABEL else None)
        for label, samples in measured.items()
    ]
    notes = [
        f"msN: median milliseconds per crop of a batch of N, over {rounds} rounds of all ways in "
        "turn; cutting the crops is part of it.",
        "speedup: median over rounds and sizes of the first row's time over this row's.",
    ]
    where = "one core" if device == "cpu" else f"{device}, CUDA events"
    what = (config.embed_model or config.embedder).replace(f"{bench.directory}/", "")
    return Report(f"{what}, cost by batch size; {where}", rows, notes)


def ways(device: str) -> Sequence[Way]:
    """The ways to try, the plainest first and the automatic choice last."""
    return CPU_WAYS if device == "cpu" else GPU_WAYS


def measure(
    config: EmbedderConfig, run: DeviceConfig, device: str, rounds: int
) -> dict[str, FloatArray]:
    """Label -> (sizes, rounds) milliseconds per crop; ways that are not installed are left out."""
    embedders = dict(_embedders(config, run, device))
    image, boxes = _crowd(max(SIZES))
    timed = stopwatch(device)
    out = {label: np.zeros((len(SIZES), rounds), np.float32) for label in embedders}
    for row, n in enumerate(SIZES):
        for embedder in embedders.values():
            embedder.embed(image, boxes[:n])
        for column in range(rounds):
            for label, embedder in embedders.items():
                ms = timed(lambda e=embedder, n=n: e.embed(image, boxes[:n]))  # type: ignore[misc]
                out[label][row, column] = ms / n
    return out


def _embedders(
    config: EmbedderConfig, run: DeviceConfig, device: str
) -> Iterator[tuple[str, Embedder]]:
    for way in ways(device):
        try:
            yield way.label, way.embedder(config, device, run)
        except MotError:
            if way.label == AUTO_LABEL:
                raise


def _crowd(n: int) -> tuple[Image, FloatArray]:
    """A picture of noise and `n` boxes as large as people in it."""
    rng = np.random.default_rng(0)
    height, width = FRAME
    size = np.array(PERSON_WH) * rng.uniform(0.7, 1.3, (n, 1))
    corner = rng.uniform(0, 1, (n, 2)) * ((width, height) - size)
    image = rng.integers(0, 256, (height, width, 3), np.uint8)
    return image, np.hstack([corner, corner + size]).astype(np.float32)


def figures_of(samples: FloatArray, base: FloatArray) -> Figures:
    """Medians by size, and how much faster than `base`; both (sizes, rounds)."""
    by_size = {
        f"ms{n}": round(float(np.median(row)), 2) for n, row in zip(SIZES, samples, strict=True)
    }
    return {**by_size, **ratio_figures(base.ravel().tolist(), samples.ravel().tolist(), "speedup")}
