"""What a call of the detector and of the embedder costs with every backend and precision."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from mot_dinov3.config import BACKEND_TITLES, DetectorConfig, DeviceConfig
from mot_dinov3.errors import MotError
from mot_dinov3.lab.benchmarks.base import Figures, Report, ResultRow
from mot_dinov3.lab.benchmarks.context import BenchmarkContext
from mot_dinov3.lab.benchmarks.figures import compare_rounds, count_rounds
from mot_dinov3.perception.backends.choice import ORDER, PRECISIONS
from mot_dinov3.perception.detectors.factory import create_detector, detector_kind
from mot_dinov3.perception.detectors.letterbox import input_size
from mot_dinov3.perception.features.factory import create_embedder
from mot_dinov3.runtime.device import create_synchronised_clock
from mot_dinov3.systems.modular import person_sized_box
from mot_dinov3.values import Detections, FloatArray, Frame
from mot_dinov3.values.boxes import iou_matrix

PICTURES = 4
CROPS = 4
SAME_IOU = 0.5
REFERENCE = "torch fp32"


@dataclass(frozen=True, slots=True)
class Contender:
    """Something that is called with a frame, and what its answers are compared by.

    Attributes:
        call: does the work and returns the answer.
        parity: compares its answers to the frames with those of the reference.
    """

    call: Callable[[Frame], object]
    parity: Callable[[list[object], list[object]], Figures]


def measure_backends(context: BenchmarkContext) -> Report:
    """Measure milliseconds of a call, in turn, and how near torch fp32 the answers are."""
    with context.open_reader() as reader:
        frames = [frame for _, frame in zip(range(PICTURES), reader, strict=False)]
    rows: list[ResultRow] = []
    detectors, skipped = _load(context, lambda settings: _create_detection(context, settings))
    detectors |= _create_ultralytics(context, frames[0])
    rows += _measure("detector", detectors, frames, context) + _list_skipped("detector", skipped)
    embedders, skipped = _load(context, lambda settings: _create_embedding(context, settings))
    rows += _measure("embedder", embedders, frames, context) + _list_skipped("embedder", skipped)
    size = f"{frames[0].width}x{frames[0].height}"
    return Report(
        f"a call for a frame of {size}: {_choose_detector(context).det}, --imgsz "
        f"{context.config.detector.imgsz}; {CROPS} crops at once, {context.device}",
        rows,
        [
            "speedup: torch fp32's time over this one's, median over rounds. same: share of torch "
            "fp32's boxes that are found at IoU 0.5 with the same class, and the other way round; "
            "off_px: how far their sides lie apart. cosine: the least similarity of an embedding "
            "with torch fp32's."
        ],
    )


def _load(
    context: BenchmarkContext, build: Callable[[DeviceConfig], Contender]
) -> tuple[dict[str, Contender], dict[str, str]]:
    """Load what this machine can run; returns that, and why it cannot run the rest."""
    kind = context.device.partition(":")[0]
    found, skipped = {}, {}
    for backend in reversed(ORDER[kind]):
        for precision in PRECISIONS[backend, kind]:
            title = f"{BACKEND_TITLES[backend]} {precision}"
            settings = replace(
                context.config.device, backend=backend, precision=precision, half=False
            )
            try:
                found[title] = build(settings)
            except MotError as error:
                skipped[title] = error.what
    return found, skipped


def _list_skipped(part: str, why: Mapping[str, str]) -> list[ResultRow]:
    return [ResultRow(f"{part}, {name}", {}, skipped=reason) for name, reason in why.items()]


def _measure(
    part: str, contenders: Mapping[str, Contender], frames: list[Frame], context: BenchmarkContext
) -> list[ResultRow]:
    """Measure one row for each contender; all of them are called in every round."""
    clock = create_synchronised_clock(context.device)
    answers = {name: [one.call(frame) for frame in frames] for name, one in contenders.items()}
    times_ms: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(count_rounds(context.settings.rounds)):
        for name, one in contenders.items():
            times_ms[name].append(_time_calls(one, frames, clock))
    rows = []
    for name, one in contenders.items():
        figures: Figures = {"ms": round(float(np.median(times_ms[name])), 2)}
        if REFERENCE in contenders:
            figures |= compare_rounds(times_ms[REFERENCE], times_ms[name], "speedup")
            figures |= one.parity(answers[REFERENCE], answers[name])
        rows.append(ResultRow(f"{part}, {name}", figures))
    return rows


def _time_calls(one: Contender, frames: list[Frame], clock: Callable[[], float]) -> float:
    taken = []
    for frame in frames:
        started = clock()
        one.call(frame)
        taken.append((clock() - started) * 1000)
    return float(np.median(taken))


def _choose_detector(context: BenchmarkContext) -> DetectorConfig:
    """Choose the configured detector, or the demo one if no backend runs it."""
    config = context.config.detector
    return config if detector_kind(config.det).has_network else replace(config, det="demo")


def _create_detection(context: BenchmarkContext, settings: DeviceConfig) -> Contender:
    return Contender(
        create_detector(_choose_detector(context), context.device, settings).detect, compare_boxes
    )


def _create_ultralytics(context: BenchmarkContext, frame: Frame) -> dict[str, Contender]:
    """Ultralytics' own prediction loop: its default, and its OpenVINO export for such frames."""
    config = _choose_detector(context)
    path = Path(config.det)
    if path.suffix != ".pt" or not path.is_file() or context.device != "cpu":
        return {}
    from mot_dinov3.perception.detectors.checkpoint import Checkpoint, silence_output
    from mot_dinov3.perception.detectors.ultralytics_loop import UltralyticsDetector

    files = {"Ultralytics torch": path}
    if find_spec("openvino"):
        checkpoint = Checkpoint(path)
        size = input_size((frame.width, frame.height), config.imgsz, checkpoint.about.stride)
        checkpoint.model.model.pt_path = str(context.directory / path.name)
        with silence_output():
            own = checkpoint.model.export(format="openvino", imgsz=size, device="cpu")
        files["Ultralytics OpenVINO"] = Path(own)
    return {
        name: Contender(UltralyticsDetector(config, file, context.device).detect, compare_boxes)
        for name, file in files.items()
    }


def _create_embedding(context: BenchmarkContext, settings: DeviceConfig) -> Contender:
    embedder = create_embedder(context.config.embedder, context.create_placement(settings))

    def embed(frame: Frame) -> FloatArray:
        shift = np.arange(CROPS, dtype=np.float32)[:, None] * 0.08 * frame.width
        boxes = np.repeat(person_sized_box(frame), CROPS, axis=0)
        boxes[:, [0, 2]] += shift - shift.mean()
        return embedder.embed(frame.image, boxes)

    return Contender(embed, find_least_cosine)


def compare_boxes(expected: list[object], found: list[object]) -> Figures:
    """Find the share of boxes that both have, and the mean distance of their sides in pixels."""
    hits = total = 0
    off_px: list[float] = []
    for one, other in zip(expected, found, strict=True):
        assert isinstance(one, Detections)
        assert isinstance(other, Detections)
        iou = iou_matrix(one.xyxy, other.xyxy)
        iou[one.class_id[:, None] != other.class_id[None]] = 0
        total += len(one) + len(other)
        if not iou.size:
            continue
        hits += int((iou.max(axis=1) >= SAME_IOU).sum() + (iou.max(axis=0) >= SAME_IOU).sum())
        rows = np.flatnonzero(iou.max(axis=1) >= SAME_IOU)
        sides = np.abs(one.xyxy[rows] - other.xyxy[iou[rows].argmax(axis=1)])
        off_px += sides.mean(axis=1).tolist()
    return {
        "same": round(hits / total, 4) if total else 1.0,
        "off_px": round(float(np.mean(off_px)), 3) if off_px else 0.0,
    }


def find_least_cosine(expected: list[object], found: list[object]) -> Figures:
    """Find the least cosine between two embeddings of one crop."""
    products = np.einsum("fnd,fnd->fn", np.array(expected), np.array(found))
    return {"cosine": round(float(products.min()), 5)}
