"""Networks on the GPU: recorded batches, short numbers, sizes of pictures, a full memory."""

from __future__ import annotations

import copy
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np

from mot_dinov3.config import DeviceConfig, EmbedderConfig
from mot_dinov3.lab.selftest.cases import CannotRunError
from mot_dinov3.lab.selftest.gpu_checks.base import CheckOutcome, GpuBench, draw_crowd
from mot_dinov3.perception.backends.choice import TENSORRT_PROVIDER, TORCH, Choice
from mot_dinov3.perception.features.base import Placement
from mot_dinov3.perception.features.factory import create_embedder
from mot_dinov3.values import FloatArray

BATCHES = (1, 3, 33, 2, 17, 8, 40, 5, 31, 1, 64, 9)
LEAST_COSINE = 0.999
INPUTS = ((544, 960), (384, 640), (544, 960), (736, 1280), (544, 960))
"""Heights and widths that follow each other, as with several cameras."""
MOST_OFF_PX = {"fp16": 1.5, "fp32": 0.05}
SPARE_BYTES = 60 << 20
"""What is left of the memory for a batch that needs more."""


def check_recorded_batches(bench: GpuBench) -> CheckOutcome:
    """Recorded batches of every size, in random order, equal the plain module."""
    recorded, plain = (
        bench.load_vit("dinov2", bench.precision, graphs=graphs) for graphs in (True, False)
    )
    wrong = {}
    for number, n in enumerate(BATCHES if bench.on_cuda else (3, 1)):
        cosine = find_least_cosine(*(e.embed(*draw_crowd(n, number)) for e in (recorded, plain)))
        if not cosine > LEAST_COSINE:
            wrong[n] = cosine
    kept = bool(recorded.buckets)
    return CheckOutcome(not wrong and kept == bench.on_cuda, {"wrong": wrong, "recorded": kept})


def check_short_numbers(bench: GpuBench) -> CheckOutcome:
    """fp16 gives what fp32 gives; random weights, so it proves nothing of the real DINOv3."""
    image, boxes = draw_crowd(24 if bench.on_cuda else 2)
    figures, holds = {}, True
    for kind in ("dinov2", "dinov3"):
        short = bench.load_vit(kind, bench.precision)
        exact = bench.load_vit(kind, "fp32").embed(image, boxes)
        cosine = find_least_cosine(exact, short.embed(image, boxes))
        figures[kind] = {"least_cosine": cosine, "runs": short.title.rpartition(", ")[2]}
        holds &= cosine > LEAST_COSINE
    return CheckOutcome(holds, figures)


def check_picture_sizes(bench: GpuBench) -> CheckOutcome:
    """A detector whose head decodes boxes answers right after pictures of another size."""
    figures: dict[str, list[float]] = {}
    holds = True
    for name in ("yolov8n", "yolov8n-seg"):
        module = build_yolo(name)
        for precision in dict.fromkeys((bench.precision, "fp32")):
            off_px = compare_sizes(bench, module, precision)
            figures[f"{name} {precision} off_px"] = off_px
            holds &= max(off_px) < MOST_OFF_PX[precision]
    return CheckOutcome(holds, figures)


def compare_sizes(bench: GpuBench, module: Any, precision: str) -> list[float]:  # noqa: ANN401
    """How far the boxes of inputs of several sizes are from those of a plain module, in pixels."""
    from mot_dinov3.nets.yolo_levels import decode_in_float32
    from mot_dinov3.perception.backends.torch import TorchNetwork, TorchSettings

    def place(numbers: str, how: TorchSettings) -> TorchNetwork:
        choice = Choice(TORCH, numbers)
        return TorchNetwork(copy.deepcopy(module), choice, bench.device, "yolo", how)

    ours = place(precision, TorchSettings(one_size=True))
    plain = place("fp32", TorchSettings(graphs=False))
    if precision != "fp32":
        decode_in_float32(ours.module)
    out = []
    for height, width in INPUTS if bench.on_cuda else ((64, 96), (96, 64), (64, 96)):
        pixels = np.random.default_rng(height).random((1, 3, height, width), np.float32)
        one, other = ours(pixels)[0][:, :4], plain(pixels)[0][:, :4]
        out.append(round(float(np.abs(one - other).max()), 3))
    return out


def build_yolo(name: str) -> Any:  # noqa: ANN401 - a torch module
    """A YOLO with random weights, in evaluation mode."""
    import torch

    from mot_dinov3.perception.detectors.ultralytics_setup import import_ultralytics

    torch.manual_seed(0)
    return import_ultralytics().YOLO(f"{name}.yaml").model.float().eval()


def check_full_memory(bench: GpuBench) -> CheckOutcome:
    """A batch that does not fit is halved until it does, with recorded batches and without."""
    bench.require_gpu()
    import torch

    total = torch.cuda.get_device_properties(bench.device).total_memory
    figures, holds = {}, True
    for graphs in (True, False):
        embedder = bench.load_vit("dinov2", bench.precision, graphs=graphs)
        embedder.embed(*draw_crowd(1))
        torch.cuda.empty_cache()
        share = (torch.cuda.memory_reserved(bench.device) + SPARE_BYTES) / total
        torch.cuda.set_per_process_memory_fraction(min(1.0, share), bench.device)
        try:
            vectors = embedder.embed(*draw_crowd(64))
        finally:
            torch.cuda.set_per_process_memory_fraction(1.0, bench.device)
            torch.cuda.empty_cache()
        halved, finite = embedder.batches.halvings, bool(np.isfinite(vectors).all())
        figures["with graphs" if graphs else "without"] = {
            "halvings": halved,
            "most": embedder.batches.most,
            "finite": finite,
            "recorded": bool(embedder.buckets),
        }
        holds &= halved > 0 and finite
    return CheckOutcome(holds, figures)


def check_detector(bench: GpuBench) -> CheckOutcome:
    """What fetching candidates takes beside the network, and beside fetching all its maps."""
    import torch

    from mot_dinov3.nets.yolo_levels import expose_levels
    from mot_dinov3.perception.backends.torch import TorchNetwork, TorchSettings
    from mot_dinov3.perception.detectors.candidates import DeviceCandidates

    module = build_yolo("yolov8n")
    expose_levels(module)
    height, width = INPUTS[0] if bench.on_cuda else (64, 96)
    pixels = torch.rand(1, 3, height, width, device=bench.device)
    figures, fetched = {}, {}
    for name, select in (("maps", None), ("candidates", DeviceCandidates(0.1))):
        how = TorchSettings(short=True, select=select)
        choice = Choice(TORCH, bench.precision)
        network = TorchNetwork(copy.deepcopy(module), choice, bench.device, "yolov8n", how)
        figures[f"with {name} ms"] = bench.measure_ms(partial(network, pixels))
        fetched[name] = sum(part.nbytes for part in network(pixels))
    sizes = {f"{name} kB": round(size / 1000, 1) for name, size in fetched.items()}
    return CheckOutcome(fetched["candidates"] < fetched["maps"], figures | sizes)


def check_tensorrt(bench: GpuBench) -> CheckOutcome:
    """TensorRT gives what torch gives, and is found again at the second load."""
    bench.require_gpu()
    try:
        import onnxruntime
    except ImportError as error:
        raise CannotRunError("onnxruntime is not installed") from error
    if TENSORRT_PROVIDER not in onnxruntime.get_available_providers():
        raise CannotRunError("onnxruntime has no TensorRT here")
    exports = str(bench.context.directory / "exports")
    config = EmbedderConfig(embed_model=str(bench.save_vit("dinov2")))
    run = DeviceConfig(bench.device, backend="tensorrt", export_cache=exports)
    image, boxes = draw_crowd(24)
    exact = bench.load_vit("dinov2", "fp32").embed(image, boxes)
    figures: dict[str, float] = {}
    for turn in ("first", "second"):
        began_s = perf_counter()
        embedder = create_embedder(config, Placement(bench.device, run))
        figures[f"{turn} load s"] = round(perf_counter() - began_s, 1)
    for n in (1, 8, 24):
        figures[f"ms{n}"] = bench.measure_ms(partial(embedder.embed, image, boxes[:n]))
    figures["least_cosine"] = find_least_cosine(exact, embedder.embed(image, boxes))
    return CheckOutcome(figures["least_cosine"] > LEAST_COSINE, figures)


def find_least_cosine(one: FloatArray, other: FloatArray) -> float:
    """The least cosine of (N, D) unit rows with others; NaN where a row is not finite."""
    return round(float((one * other).sum(axis=1).min()), 6)
