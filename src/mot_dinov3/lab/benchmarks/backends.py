"""What a call of the detector and of the embedder costs with every backend and precision."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from mot_dinov3.config import DetectorConfig, DeviceConfig
from mot_dinov3.errors import MotError
from mot_dinov3.lab.benchmarks.base import Figures, Report, Row
from mot_dinov3.lab.benchmarks.bench import Bench
from mot_dinov3.lab.benchmarks.rounds import ratio_figures, rounds_of
from mot_dinov3.perception.backends.choice import ORDER, PRECISIONS, TITLES
from mot_dinov3.perception.detectors.factory import create_detector, detector_kind
from mot_dinov3.perception.detectors.letterbox import input_size
from mot_dinov3.perception.features.factory import create_embedder
from mot_dinov3.runtime.device import synchronised_clock
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


def backends(bench: Bench) -> Report:
    """Milliseconds of a call, in turn, round by round, and how near torch fp32 the answers are."""
    with bench.reader() as reader:
        frames = [frame for _, frame in zip(range(PICTURES), reader, strict=False)]
    rows: list[Row] = []
    detectors, skipped = _loaded(bench, lambda settings: _detecting(bench, settings))
    detectors |= _ultralytics(bench, frames[0])
    rows += _measured("detector", detectors, frames, bench) + _skipped("detector", skipped)
    embedders, skipped = _loaded(bench, lambda settings: _embedding(bench, settings))
    rows += _measured("embedder", embedders, frames, bench) + _skipped("embedder", skipped)
    size = f"{frames[0].width}x{frames[0].height}"
    return Report(
        f"a call for a frame of {size}: {_detector(bench).det}, --imgsz "
        f"{bench.config.detector.imgsz}; {CROPS} crops at once, {bench.device}",
        rows,
        [
            "speedup: torch fp32's time over this one's, median over rounds. same: share of torch "
            "fp32's boxes that are found at IoU 0.5 with the same class, and the other way round; "
            "off_px: how far their sides lie apart. cosine: the least similarity of an embedding "
            "with torch fp32's."
        ],
    )


def _loaded(
    bench: Bench, build: Callable[[DeviceConfig], Contender]
) -> tuple[dict[str, Contender], dict[str, str]]:
    """Every combination that this machine can run, and why it cannot run the others."""
    kind = bench.device.partition(":")[0]
    found, skipped = {}, {}
    for backend in reversed(ORDER[kind]):
        for precision in PRECISIONS[backend, kind]:
            title = f"{TITLES[backend]} {precision}"
            settings = replace(
                bench.config.device, backend=backend, precision=precision, half=False
            )
            try:
                found[title] = build(settings)
            except MotError as error:
                skipped[title] = error.what
    return found, skipped


def _skipped(part: str, why: Mapping[str, str]) -> list[Row]:
    return [Row(f"{part}, {name}", {}, skipped=reason) for name, reason in why.items()]


def _measured(
    part: str, contenders: Mapping[str, Contender], frames: list[Frame], bench: Bench
) -> list[Row]:
    """One row for each contender; all of them are called in every round."""
    clock = synchronised_clock(bench.device)
    answers = {name: [one.call(frame) for frame in frames] for name, one in contenders.items()}
    times_ms: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds_of(bench.settings.rounds)):
        for name, one in contenders.items():
            times_ms[name].append(_median_ms(one, frames, clock))
    rows = []
    for name, one in contenders.items():
        figures: Figures = {"ms": round(float(np.median(times_ms[name])), 2)}
        if REFERENCE in contenders:
            figures |= ratio_figures(times_ms[REFERENCE], times_ms[name], "speedup")
            figures |= one.parity(answers[REFERENCE], answers[name])
        rows.append(Row(f"{part}, {name}", figures))
    return rows


def _median_ms(one: Contender, frames: list[Frame], clock: Callable[[], float]) -> float:
    taken = []
    for frame in frames:
        started = clock()
        one.call(frame)
        taken.append((clock() - started) * 1000)
    return float(np.median(taken))


def _detector(bench: Bench) -> DetectorConfig:
    """The configured detector; the demo one where a backend has nothing to run."""
    config = bench.config.detector
    return config if detector_kind(config.det).has_network else replace(config, det="demo")


def _detecting(bench: Bench, settings: DeviceConfig) -> Contender:
    return Contender(create_detector(_detector(bench), bench.device, settings).detect, same_boxes)


def _ultralytics(bench: Bench, frame: Frame) -> dict[str, Contender]:
    """Ultralytics' own prediction loop: its default, and its OpenVINO export for such frames."""
    config = _detector(bench)
    path = Path(config.det)
    if path.suffix != ".pt" or not path.is_file() or bench.device != "cpu":
        return {}
    from mot_dinov3.perception.detectors.checkpoint import Checkpoint, silence_output
    from mot_dinov3.perception.detectors.ultralytics_loop import UltralyticsDetector

    files = {"Ultralytics torch": path}
    if find_spec("openvino"):
        checkpoint = Checkpoint(path)
        size = input_size((frame.width, frame.height), config.imgsz, checkpoint.about.stride)
        checkpoint.model.model.pt_path = str(bench.directory / path.name)
        with silence_output():
            own = checkpoint.model.export(format="openvino", imgsz=size, device="cpu")
        files["Ultralytics OpenVINO"] = Path(own)
    return {
        name: Contender(UltralyticsDetector(config, file, bench.device).detect, same_boxes)
        for name, file in files.items()
    }


def _embedding(bench: Bench, settings: DeviceConfig) -> Contender:
    embedder = create_embedder(bench.config.embedder, bench.place(settings))

    def embed(frame: Frame) -> FloatArray:
        shift = np.arange(CROPS, dtype=np.float32)[:, None] * 0.08 * frame.width
        boxes = np.repeat(person_sized_box(frame), CROPS, axis=0)
        boxes[:, [0, 2]] += shift - shift.mean()
        return embedder.embed(frame.image, boxes)

    return Contender(embed, least_cosine)


def same_boxes(expected: list[object], found: list[object]) -> Figures:
    """Share of boxes that both have, and the mean distance of their sides in pixels."""
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


def least_cosine(expected: list[object], found: list[object]) -> Figures:
    """The least cosine between two embeddings of one crop."""
    products = np.einsum("fnd,fnd->fn", np.array(expected), np.array(found))
    return {"cosine": round(float(products.min()), 5)}
