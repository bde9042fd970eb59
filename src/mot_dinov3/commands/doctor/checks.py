"""Does the installed software really work: one small proof per package, not just an import."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np

from mot_dinov3.config import DeviceConfig
from mot_dinov3.errors import ModelError, MotError, hide_secrets, reason_of
from mot_dinov3.perception.backends.cache import export_place
from mot_dinov3.perception.backends.choice import choose_backend
from mot_dinov3.runtime.cpu import BF16_FLAGS, cpu_flags, thread_count
from mot_dinov3.runtime.device import choose_device
from mot_dinov3.wording import counted, install_command

Status = Literal["ok", "note", "fail"]

NVENC_REMEDY = "Take a newer NVIDIA driver to leave encoding to the GPU (PyAV 18 asks for 570)"
REINSTALL = "Install again: bash clean.sh && bash setup.sh"
FRAMES = 6
WIDTH, HEIGHT = 320, 240
"""Of the pictures that are encoded; NVENC refuses smaller ones than about 150 x 50."""
SHADES = np.linspace(40, 200, FRAMES).astype(np.uint8)
MAX_SHADE_ERROR = 12.0
RATE = Fraction(25)


@dataclass(frozen=True, slots=True)
class Check:
    """What one check found.

    Attributes:
        status: "ok", "note" (works, but worth knowing) or "fail".
        detail: one line for people.
        remedy: what to do about a failure; may also help with a note.
    """

    status: Status
    detail: str
    remedy: str = ""


def check_codecs() -> Check:
    """A short video is really encoded and decoded again; the first encoder that can wins.

    Where there is a GPU its encoder is tried first, as a run does.
    """
    from mot_dinov3.io.write.encoders import FORMATS, NVENC
    from mot_dinov3.runtime.device import may_have_gpu

    refusals = []
    for encoder in (*([NVENC] if may_have_gpu() else []), *FORMATS[".mp4"].encoders):
        try:
            codec = prove_codec(encoder)
        except (OSError, ValueError, RuntimeError) as error:
            refusals.append(f"{encoder}: {describe_error(error)}")
            continue
        if codec != "h264":
            return Check("note", f"no H.264 encoder works, videos will be {codec}", REINSTALL)
        wrote = f"{encoder} wrote an mp4 of {FRAMES} frames and they were read again"
        if refusals and refusals[0].startswith(NVENC):
            return Check("note", f"{wrote}; the GPU does not encode ({refusals[0]})", NVENC_REMEDY)
        return Check("ok", wrote)
    return Check("fail", f"no video encoder works ({'; '.join(refusals)})", REINSTALL)


def prove_codec(encoder: str) -> str:
    """Write grey frames to a video as a run does, read them back, and name their codec.

    Raises:
        OSError, ValueError: PyAV has no such encoder, or it fails (PyAV's errors are both).
        RuntimeError: what comes out is not what went in.
    """
    import av

    from mot_dinov3.io.write.encoders import (
        ENCODERS,
        FORMATS,
        WholeWrites,
        add_video,
        open_container,
    )

    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "doctor.mp4"
        with (
            WholeWrites(path, "wb") as file,
            open_container(file, FORMATS[".mp4"], float(RATE)) as container,
        ):
            size = (WIDTH, HEIGHT)
            stream = add_video(container, ENCODERS[encoder], size, RATE, 1 / RATE)
            for index, shade in enumerate(SHADES):
                image = np.full((HEIGHT, WIDTH, 3), shade, np.uint8)
                frame = av.VideoFrame.from_ndarray(image, format="bgr24")
                frame.pts, frame.time_base = index, 1 / RATE
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        with av.open(str(path), "r", format="mp4") as source:
            codec = source.streams.video[0].codec_context.name
            decoded = [frame.to_ndarray(format="bgr24") for frame in source.decode(video=0)]
    if len(decoded) != FRAMES:
        raise RuntimeError(f"{len(decoded)} of {FRAMES} frames came back")
    shades = np.array([image.mean() for image in decoded])
    if np.abs(shades - SHADES).max() > MAX_SHADE_ERROR:
        raise RuntimeError("the frames that came back look different")
    return codec


def check_opencv() -> Check:
    """OpenCV finds a moving square with its background model, as `--det motion` will."""
    import cv2

    model = cv2.createBackgroundSubtractorMOG2(detectShadows=False)
    image = np.zeros((64, 64, 3), np.uint8)
    for _ in range(10):
        model.apply(image)
    image[16:32, 16:32] = 255
    moving = int(np.count_nonzero(model.apply(image)))
    if moving != 16 * 16:
        raise RuntimeError(f"OpenCV's background model finds {moving} pixels of 256")
    return Check("ok", f"opencv {cv2.__version__} found a moving square")


def check_transformers() -> Check:
    """The installed transformers knows both kinds of DINO by their own names."""
    import transformers
    from transformers import AutoConfig

    missing = []
    for kind in ("dinov2", "dinov3_vit"):
        try:
            AutoConfig.for_model(kind)
        except (ValueError, KeyError):
            missing.append(kind)
    if missing:
        detail = f"transformers {transformers.__version__} does not know {' and '.join(missing)}"
        return Check("fail", detail, "Get a newer one: bash setup.sh --dinov3-edge")
    return Check("ok", f"transformers {transformers.__version__} knows dinov2 and dinov3_vit")


def check_ultralytics() -> Check:
    """Ultralytics can be imported the way the detector does it: silent and in safe mode."""
    from mot_dinov3.perception.detectors.ultralytics_setup import import_ultralytics

    return Check("ok", f"ultralytics {import_ultralytics().__version__} in its safe loading mode")


def attempt(check: Callable[[], Check]) -> Check:
    """Run a check; whatever it raises is a failure in words, so that the others still run."""
    try:
        return check()
    except Exception as error:
        return Check("fail", describe_error(error), getattr(error, "fix", "") or REINSTALL)


def describe_error(error: BaseException, most: int = 200) -> str:
    """What an error says, on one line: its sentence if it is ours, else its first line."""
    if isinstance(error, MotError):
        return hide_secrets(error.what)
    return hide_secrets(reason_of(error))[:most]


def check_openvino() -> Check:
    """The optional package that is fastest on CPUs: it compiles and runs a small network."""
    from mot_dinov3.perception.backends.openvino_setup import import_openvino, openvino_core

    try:
        openvino = import_openvino()
    except ModelError:
        detail = "not installed, networks run slower on the CPU without it"
        return Check("note", detail, install_command("openvino"))
    from openvino import opset13

    pixels = opset13.parameter([1, 3, 8, 8], np.float32)
    model = openvino.Model([opset13.add(pixels, pixels)], [pixels], "doctor")
    answer = openvino_core().compile_model(model, "CPU")(np.ones((1, 3, 8, 8), np.float32))[0]
    if not np.allclose(answer, 2.0):
        raise RuntimeError("OpenVINO gives a wrong sum")
    return Check("ok", f"openvino {openvino.__version__.partition('-')[0]} ran a small network")


def check_onnxruntime() -> Check:
    """The optional package behind `--backend onnx` and `--embedder onnx`."""
    try:
        import onnxruntime
    except ImportError:
        return Check("note", "not installed, --embedder onnx needs it", install_command("onnx"))
    providers = ", ".join(
        name.removesuffix("ExecutionProvider") for name in onnxruntime.get_available_providers()
    )
    return Check("ok", f"onnxruntime {onnxruntime.__version__} with {providers}")


def check_automatic_choice() -> Check:
    """What `--backend auto --precision auto` means here, and what its exports take up."""
    settings = DeviceConfig()
    device = choose_device()
    choice = choose_backend(settings, device)
    short = [flag for flag in BF16_FLAGS if flag in cpu_flags()]
    place = export_place(settings)
    held = sum(path.stat().st_size for path in place.rglob("*") if path.is_file())
    words = [
        f"auto runs {choice.title} on {device}, {counted(thread_count(), 'thread')}",
        f"cpu has {' and '.join(short) or 'no bf16'}",
        f"exports take {held / 2**20:.0f} MiB in {place}",
    ]
    return Check("ok", "; ".join(words))
