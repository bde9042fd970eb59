"""Runs networks with TensorRT, by onnxruntime's provider; its engines are kept like exports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from mot_dinov3.errors import ModelError
from mot_dinov3.perception.backends.cache import entry_name, open_entry
from mot_dinov3.perception.backends.choice import TENSORRT_PROVIDER, Choice
from mot_dinov3.perception.backends.digest import file_digest
from mot_dinov3.perception.backends.onnxruntime import (
    OnnxNetwork,
    Provider,
    list_providers,
    open_session,
)
from mot_dinov3.runtime.compat import cache_dir
from mot_dinov3.values import FloatArray

PACKAGES = ("onnxruntime", "onnxruntime-gpu", "tensorrt", "tensorrt-cu12", "tensorrt-cu13")
"""Those whose versions an engine depends on, as far as they are installed."""
USUAL, MOST = 8, 32
"""Pictures of the batch that an engine is made fastest for, and of the largest that it takes."""


class TensorRtNetwork(OnnxNetwork):
    """An onnxruntime session whose layers TensorRT runs.

    The engine is built at the first load, which takes minutes, and found again from then on. It is
    made for one card, one precision and pictures of one size, in batches of 1 to `MOST`; larger
    ones are cut into several.

    Args:
        path: an .onnx file.
        choice: backend and precision.
        device: torch device string of a CUDA device.
        place: directory of the exports; that of the user's cache when left out.

    Raises:
        ModelError: TensorRT is missing or cannot run the file, or the file leaves the size of its
            pictures open.
    """

    def __init__(
        self, path: Path, choice: Choice, device: str = "cuda:0", place: Path | None = None
    ) -> None:
        self._place = place or cache_dir() / "exports"
        self._short = choice.precision == "fp16"
        super().__init__(path, choice, device)

    def __call__(self, pixels: FloatArray) -> tuple[FloatArray, ...]:
        """One forward pass for every `MOST` pictures; see `base.Network`."""
        parts = [super(TensorRtNetwork, self).__call__(part) for part in split(pixels)]
        return tuple(np.concatenate(outputs) for outputs in zip(*parts, strict=True))

    def _open(self, path: Path, device: str) -> Any:  # noqa: ANN401 - an onnxruntime session
        profile = describe_profile(path)
        facts = {"file": file_digest(path), "fp16": self._short, "profile": profile}
        entry = entry_name(f"{path.stem}-tensorrt", facts | {"card": name_card(device)}, PACKAGES)

        def open_with(folder: Path) -> Any:  # noqa: ANN401 - an onnxruntime session
            first = describe_provider(device, folder, profile, short=self._short)
            return require_tensorrt(open_session(path, [first, *list_providers(device)]), path.name)

        with open_entry(entry, lambda folder: build_engine(open_with(folder)), self._place) as at:
            return open_with(at)


def require_tensorrt(session: Any, name: str) -> Any:  # noqa: ANN401 - an onnxruntime session
    """The session, if TensorRT is in it; onnxruntime goes on without where it cannot be loaded.

    Args:
        session: of onnxruntime.
        name: of the model's file.

    Raises:
        ModelError: it is not.
    """
    if TENSORRT_PROVIDER not in session.get_providers():
        raise ModelError(
            f"TensorRT cannot run '{name}': its libraries were not found.",
            fix="Install TensorRT beside onnxruntime-gpu, or choose --backend torch.",
        )
    return session


def split(pixels: FloatArray) -> list[FloatArray]:
    """A batch in pieces of at most `MOST` pictures."""
    return [pixels[start : start + MOST] for start in range(0, len(pixels), MOST)]


def describe_profile(path: Path) -> dict[str, str]:
    """The smallest, the usual and the largest input of an engine, in TensorRT's words.

    Empty where the file has one size of batches.

    Raises:
        ModelError: it cannot be read, or leaves the size of its pictures open.
    """
    inputs = open_session(path, ["CPUExecutionProvider"]).get_inputs()
    known = [isinstance(size, int) and size > 0 for port in inputs for size in port.shape[1:]]
    if not all(known):
        raise ModelError(
            f"'{path.name}' leaves the size of its pictures open, and TensorRT needs to know it.",
            fix="Export it for one size, or choose --backend onnx.",
        )
    if all(isinstance(port.shape[0], int) and port.shape[0] > 0 for port in inputs):
        return {}
    sizes = {port.name: "x".join(map(str, port.shape[1:])) for port in inputs}
    return {
        f"trt_profile_{kind}_shapes": ",".join(f"{name}:{n}x{one}" for name, one in sizes.items())
        for kind, n in (("min", 1), ("opt", USUAL), ("max", MOST))
    }


def describe_provider(
    device: str, folder: Path, profile: dict[str, str], *, short: bool
) -> Provider:
    """TensorRT's provider and its settings.

    Args:
        device: torch device string of a CUDA device.
        folder: where it keeps engines.
        profile: see `describe_profile`.
        short: it may compute in fp16.
    """
    return TENSORRT_PROVIDER, {
        "device_id": device.partition(":")[2] or "0",
        "trt_fp16_enable": str(short),
        "trt_engine_cache_enable": "True",
        "trt_engine_cache_path": str(folder),
        **profile,
    }


def build_engine(session: Any) -> None:  # noqa: ANN401 - an onnxruntime session
    """Run a session once, after which its engine lies in the folder that it was told."""
    ones = {
        port.name: np.zeros(
            [size if isinstance(size, int) and size > 0 else 1 for size in port.shape],
            np.float16 if "float16" in port.type else np.float32,
        )
        for port in session.get_inputs()
    }
    session.run(None, ones)


def name_card(device: str) -> str:
    """The GPU that an engine is made for."""
    import torch

    return str(torch.cuda.get_device_name(device))
