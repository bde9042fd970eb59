"""Pictures on the GPU: crops of all sizes, and the encoder beside the models."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from threading import Event, Thread
from time import perf_counter
from typing import cast

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext

from mot_dinov3.io.write.encoders import ENCODERS, NVENC, can_open
from mot_dinov3.lab.selftest.cases import CannotRunError
from mot_dinov3.lab.selftest.gpu_checks.base import CheckOutcome, GpuBench, draw_crowd
from mot_dinov3.perception.features.crops import CropShape, InputSpec, cpu_batch
from mot_dinov3.perception.features.device_crops import DeviceCrops
from mot_dinov3.runtime.upload import FrameUpload

SIZES = ((720, 1280), (1080, 1920), (2160, 3840))
MOST_TIMES, MOST_MS = 4.0, 2.0
"""A close person may make the cutting of 20 crops take so many times as long, and so much more."""
MOST_OFF_GREY = 0.01
VIDEO_WH, FRAMES = (1280, 720), 150
TRIALS, BATCHES = 6, (1, 2, 4, 8, 16, 32)


def check_cutting(bench: GpuBench) -> CheckOutcome:
    """Crops equal those of the CPU, and a close person costs little beside 20 others."""
    spec = InputSpec(224, 224)
    shape = CropShape(spec, 0.12, square=True)
    figures, holds = {}, True
    for size in SIZES if bench.on_cuda else SIZES[:1]:
        cut, ms = DeviceCrops(spec, FrameUpload(bench.device)), []
        for close in (False, True):
            image, boxes = draw_crowd(20, size=size, close=close)
            windows = shape.windows(boxes, (size[1], size[0]))
            ms.append(bench.measure_ms(partial(cut, image, windows), 5))
        exact, ours = cpu_batch(image, windows, spec), cut(image, windows).cpu().numpy()
        off = float(np.abs(exact - ours).max()) * 255 * min(spec.std)
        key = f"{size[1]}x{size[0]}"
        figures[key] = {"20 ms": ms[0], "+1 close ms": ms[1], "off_grey": round(off, 4)}
        holds &= ms[1] < MOST_TIMES * ms[0] + MOST_MS and off < MOST_OFF_GREY
    return CheckOutcome(holds, figures)


def check_capture_beside_encoder(bench: GpuBench) -> CheckOutcome:
    """Batches are recorded while another thread encodes with NVENC, and neither fails."""
    bench.require_gpu()
    require_nvenc()
    stop, errors, frames = Event(), [], [0]

    def encode() -> None:
        try:
            while not stop.is_set():
                encode_noise(NVENC, 8, stop.is_set)
                frames[0] += 8
        except (OSError, ValueError, RuntimeError) as error:
            errors.append(repr(error)[:200])

    thread = Thread(target=encode)
    thread.start()
    lost = 0
    try:
        for trial in range(TRIALS):
            embedder = bench.load_vit("dinov2", bench.precision)
            for n in BATCHES:
                embedder.embed(*draw_crowd(n, trial))
            lost += not embedder.buckets
    finally:
        stop.set()
        thread.join(20)
    figures = {"trials": TRIALS, "lost_graphs": lost, "encoder": errors, "frames": frames[0]}
    return CheckOutcome(not lost and not errors, figures)


def check_encoders(bench: GpuBench) -> CheckOutcome:
    """Frames a second of NVENC and of libx264 at 1280x720, noise, muxing left out."""
    names = ["libx264"]
    if can_open(ENCODERS[NVENC], VIDEO_WH):
        names.insert(0, NVENC)
    figures: dict[str, float] = {}
    for name in names:
        began_s = perf_counter()
        count = FRAMES if bench.on_cuda else 5
        encode_noise(name, count)
        figures[f"{name} fps"] = round(count / (perf_counter() - began_s), 1)
    return CheckOutcome(not bench.on_cuda or names[0] == NVENC, figures)


def require_nvenc() -> None:
    """Go on only where NVENC opens.

    Raises:
        CannotRunError: it does not.
    """
    if not can_open(ENCODERS[NVENC], VIDEO_WH):
        raise CannotRunError("NVENC does not open; PyAV 18 asks for driver 570 or newer")


def encode_noise(name: str, frames: int, stopped: Callable[[], bool] = lambda: False) -> None:
    """Encode pictures of noise as a run does, and throw the packets away.

    Raises:
        av.FFmpegError: the encoder fails.
    """
    encoder = ENCODERS[name]
    context = cast("VideoCodecContext", av.CodecContext.create(encoder.name, "w"))
    context.width, context.height = VIDEO_WH
    context.pix_fmt, context.time_base = "yuv420p", Fraction(1, encoder.ticks_per_s)
    context.options = encoder.options
    planes = np.random.default_rng(0).integers(
        0, 256, (VIDEO_WH[1] * 3 // 2, VIDEO_WH[0]), np.uint8
    )
    for index in range(frames):
        if stopped():
            break
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts, frame.time_base = index * encoder.ticks_per_s // 30, context.time_base
        context.encode(frame)
    context.encode(None)
