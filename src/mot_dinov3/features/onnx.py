"""Any re-identification network in ONNX format, run by onnxruntime."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mot_dinov3.config import EmbedderConfig
from mot_dinov3.errors import DeviceError, ModelError, UsageError, not_installed
from mot_dinov3.features.backbone import unit_rows
from mot_dinov3.features.crops import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    InputSpec,
    cpu_batch,
    crop_windows,
)
from mot_dinov3.structures import FloatArray, Image

logger = logging.getLogger("mot_dinov3")

DEFAULT_HEIGHT, DEFAULT_WIDTH = 256, 128
"""The shape of person crops in re-identification, for models that leave theirs open."""
FLOAT_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


class OnnxEmbedder:
    """Describes boxes with an ONNX model: one NCHW picture input, one vector output.

    Pictures are RGB, scaled to 0..1 and normalised with ImageNet's mean and std, or with the
    lists `mean` and `std` of the file's metadata. Models with a square input see square crops
    when `config.crop_square`; others were trained on crops that follow the box, and get those.

    Args:
        config: `embed_model` is the path of the file.
        device: torch device string; CUDA is used where onnxruntime has it.

    Raises:
        ModelError: no onnxruntime, no such file, not an ONNX model, or not one of pictures.
    """

    def __init__(self, config: EmbedderConfig, device: str) -> None:
        path = _existing(config.embed_model)
        self._session = _session(path, device)
        on_cuda = "CUDAExecutionProvider" in self._session.get_providers()
        self.device = device if on_cuda else "cpu"
        if device != self.device and device.startswith("cuda"):
            logger.warning("onnxruntime has no CUDA support here: %s runs on the CPU.", path.name)
        self._input, self._kind, shape = _picture_input(self._session, path.name)
        self._batch = shape[0] if isinstance(shape[0], int) else 0
        metadata = self._session.get_modelmeta().custom_metadata_map
        self.spec = spec_from_shape(shape, metadata)
        self.pad = config.crop_pad
        self.square = config.crop_square and self.spec.square
        self.title = f"{path.name} {self.spec.width}x{self.spec.height} px, {self.device}"
        self._name = path.name
        blank = np.zeros((1, 3, self.spec.height, self.spec.width), np.float32)
        self.dim = int(self._vectors(blank).shape[1])

    def embed(self, image: Image, xyxy: FloatArray) -> FloatArray:
        """One vector per box, all boxes in one batch where the model's batch size is open.

        Args:
            image: (H, W, 3) uint8 BGR, the whole frame.
            xyxy: (M, 4) float32 boxes in its pixels; may reach over the border.

        Returns:
            (M, dim) float32, unit rows; NaN where a box shows nothing of the frame or the
            model's answer is not finite.

        Raises:
            DeviceError: the device ran out of memory.
            ModelError: the model failed.
        """
        frame_wh = (image.shape[1], image.shape[0])
        windows = crop_windows(xyxy, frame_wh, self.spec, self.pad, self.square)
        out = np.full((len(xyxy), self.dim), np.nan, np.float32)
        if len(windows):
            pixels = cpu_batch(image, windows, self.spec)
            out[windows.rows] = unit_rows(self._vectors(pixels))
        return out

    def _vectors(self, pixels: FloatArray) -> FloatArray:
        """(B, 3, h, w) -> (B, D); a fixed batch size is filled up with copies."""
        size = self._batch or len(pixels)
        parts = []
        for start in range(0, len(pixels), size):
            part = pixels[start : start + size]
            full = np.resize(part, (size, *part.shape[1:]))
            parts.append(self._run(full)[: len(part)])
        return np.concatenate(parts)

    def _run(self, pixels: FloatArray) -> FloatArray:
        try:
            answer = self._session.run(None, {self._input: pixels.astype(self._kind, copy=False)})
        except Exception as error:
            if "allocate" in str(error).lower():
                raise DeviceError(
                    f"{self.device} has no memory left for '{self._name}'.",
                    fix="Free the device, or run with --device cpu.",
                ) from error
            raise _unusable(self._name, error) from error
        first: FloatArray = np.asarray(answer[0])
        if first.ndim < 2 or len(first) != len(pixels):
            raise ModelError(
                f"'{self._name}' answers {len(pixels)} pictures with shape {first.shape}, "
                "not with one vector each.",
                fix="Export the model up to its embedding layer.",
            )
        return first.reshape(len(first), -1)


def spec_from_shape(shape: list[Any], metadata: Mapping[str, str]) -> InputSpec:
    """The input picture of a model whose input has `shape` (B, 3, h, w); open sizes get defaults.

    Args:
        shape: numbers, or names for open sizes.
        metadata: the file's own notes; `mean` and `std` are three numbers each, for RGB in 0..1.
    """
    height, width = (size if isinstance(size, int) and size > 0 else 0 for size in shape[2:])
    if not height and not width:
        height, width = DEFAULT_HEIGHT, DEFAULT_WIDTH
    return InputSpec(
        height=height or width,
        width=width or height,
        mean=_three(metadata.get("mean"), IMAGENET_MEAN),
        std=_three(metadata.get("std"), IMAGENET_STD),
    )


def _three(text: str | None, default: tuple[float, float, float]) -> tuple[float, float, float]:
    if text is None:
        return default
    try:
        values = json.loads(text) if "[" in text else re.split(r"[,\s]+", text.strip("() "))
        red, green, blue = (float(value) for value in values)
    except (ValueError, TypeError) as error:
        raise ModelError(
            f"The ONNX file's metadata has '{text}' where three numbers should be.",
            fix="Write mean and std as [0.485, 0.456, 0.406] into its metadata_props.",
        ) from error
    return red, green, blue


def _existing(name: str) -> Path:
    if not name:
        raise UsageError(
            "--embedder onnx needs a model file.", fix="Add --embed-model path/to/model.onnx"
        )
    path = Path(name).expanduser()
    if not path.is_file():
        what = "is a directory" if path.is_dir() else "does not exist"
        raise ModelError(
            f"The ONNX file '{name}' {what}.", fix="Check the path after --embed-model."
        )
    return path


def _session(path: Path, device: str) -> Any:  # noqa: ANN401 - an onnxruntime session
    try:
        import onnxruntime as ort
    except ImportError as error:
        raise not_installed("onnxruntime", "onnx", "--embedder onnx") from error

    options = ort.SessionOptions()
    options.intra_op_num_threads = thread_count()
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    providers: list[Any] = ["CPUExecutionProvider"]
    if device.startswith("cuda") and "CUDAExecutionProvider" in ort.get_available_providers():
        number = device.partition(":")[2] or "0"
        providers.insert(0, ("CUDAExecutionProvider", {"device_id": number}))
    try:
        return ort.InferenceSession(str(path), options, providers=providers)
    except Exception as error:
        raise _unusable(path.name, error) from error


def thread_count() -> int:
    """Threads for one model: `OMP_NUM_THREADS` where set, else the cores this process may use."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdecimal() and int(asked) > 0:
        return int(asked)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _picture_input(session: Any, name: str) -> tuple[str, Any, list[Any]]:  # noqa: ANN401
    """Name, number type and shape of the only input, if it takes (B, 3, h, w) pictures."""
    inputs = session.get_inputs()
    given = ", ".join(f"{item.name} {item.type} {item.shape}" for item in inputs)
    fits = len(inputs) == 1 and inputs[0].type in FLOAT_TYPES and len(inputs[0].shape) == 4
    if not fits or (isinstance(inputs[0].shape[1], int) and inputs[0].shape[1] != 3):
        raise ModelError(
            f"'{name}' takes ({given}); an embedder takes one picture, float (batch, 3, h, w).",
            fix="Export the model with a single NCHW input.",
        )
    return inputs[0].name, FLOAT_TYPES[inputs[0].type], list(inputs[0].shape)


def _unusable(name: str, error: Exception) -> ModelError:
    reason = str(error).strip().splitlines()[0].rstrip(".") if str(error) else "no reason given"
    return ModelError(
        f"'{name}' is not an ONNX model that onnxruntime can run ({reason}).",
        fix="Check the file, or export it again.\n"
        "Or use the model that ships with this tool: --embedder dino --embed-model demo",
    )
