"""What runs networks on this machine: the packages, proved with a small model, and the choice."""

from __future__ import annotations

import numpy as np

from mot_dinov3.commands.doctor.checks import Check
from mot_dinov3.config import DeviceConfig
from mot_dinov3.errors import ModelError
from mot_dinov3.perception.backends.cache import export_place
from mot_dinov3.perception.backends.choice import choose_backend
from mot_dinov3.runtime.cpu import BF16_FLAGS, cpu_flags, thread_count
from mot_dinov3.runtime.device import choose_device
from mot_dinov3.wording import counted


def check_openvino() -> Check:
    """The optional package that is fastest on CPUs: it compiles and runs a small network."""
    from mot_dinov3.perception.backends.openvino_setup import import_openvino, openvino_core

    try:
        openvino = import_openvino()
    except ModelError:
        detail = "not installed, networks run slower on the CPU without it"
        return Check("note", detail, "pip install '.[openvino]'")
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
        return Check("note", "not installed, --embedder onnx needs it", "pip install '.[onnx]'")
    providers = ", ".join(
        name.removesuffix("ExecutionProvider") for name in onnxruntime.get_available_providers()
    )
    return Check("ok", f"onnxruntime {onnxruntime.__version__} with {providers}")


def check_automatic_choice() -> Check:
    """What `--backend auto --precision auto` means here, and what its exports take up."""
    settings = DeviceConfig()
    device = choose_device(settings)
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
