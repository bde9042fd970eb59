"""Writes torch modules in the formats of other backends; only torch's own files are trusted."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mot_dinov3.config import BACKEND_TITLES
from mot_dinov3.errors import ModelError
from mot_dinov3.perception.backends.cache import ExportKey
from mot_dinov3.perception.backends.choice import INT8, ONNX, OPENVINO
from mot_dinov3.perception.backends.openvino_setup import import_openvino
from mot_dinov3.perception.backends.problems import reason
from mot_dinov3.perception.pretrained import quiet_transformers

if TYPE_CHECKING:
    import torch

EXAMPLES = 2
"""Pictures in the example batch; with 1, exporters take the batch size for a constant."""
PRODUCTS = ["MatMul", "Gemm"]
"""Operations that int8 makes faster in onnxruntime."""
OPSET = 17
"""Of ONNX: the oldest that has layer normalisation as one operation."""


def export(module: torch.nn.Module, size: tuple[int, int], key: ExportKey, path: Path) -> None:
    """Write a module for the backend and numbers of `key`; the batch size stays open.

    Args:
        module: (B, 3, h, w) pictures -> (B, D).
        size: h and w.
        key: says the backend, and whether numbers are int8.
        path: where the backend expects the model file.

    Raises:
        ModelError: this module cannot be exported.
    """
    import torch

    writers = {OPENVINO: _write_openvino, ONNX: write_onnx}
    backend = key.choice.file_format
    try:
        with warnings.catch_warnings(), quiet_transformers(), torch.no_grad():
            warnings.simplefilter("ignore")
            writers[backend](module.eval(), size, path)
            if key.stored == INT8:
                _shorten(path)
    except Exception as error:
        raise ModelError(
            f"'{key.name}' cannot be exported for {BACKEND_TITLES[backend]} ({reason(error)}).",
            fix="Run it with --backend torch.",
        ) from error


def _write_openvino(module: torch.nn.Module, size: tuple[int, int], path: Path) -> None:
    import torch

    openvino = import_openvino()
    example = torch.zeros(EXAMPLES, 3, *size)
    shape = [-1, *example.shape[1:]]
    model = openvino.convert_model(
        module, example_input=example, input=[("pixels", shape, np.float32)]
    )
    openvino.save_model(model, str(path), compress_to_fp16=False)


def write_onnx(module: torch.nn.Module, size: tuple[int, int], path: Path) -> None:
    """Write a module (B, 3, h, w) -> (B, D) as ONNX with an open batch size; `size` is h and w."""
    import torch

    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            (torch.zeros(EXAMPLES, 3, *size),),
            str(path),
            dynamo=False,
            opset_version=OPSET,
            input_names=["pixels"],
            output_names=["vectors"],
            dynamic_axes={"pixels": {0: "batch"}, "vectors": {0: "batch"}},
        )


def _shorten(path: Path) -> None:
    """Make the weights of an ONNX file's matrix products int8; inputs are scaled as they come.

    Nothing has to be calibrated so (onnxruntime's "dynamic quantization"). Convolutions stay:
    onnxruntime runs them slower this way.
    """
    from onnxruntime.quantization import quantize_dynamic

    exact = path.with_suffix(".fp32")
    path.rename(exact)
    with quiet_root_log():
        quantize_dynamic(exact, path, op_types_to_quantize=PRODUCTS)
    exact.unlink()
    if b"MatMulInteger" not in path.read_bytes():
        raise ValueError("it has no matrix products to make int8")


@contextmanager
def quiet_root_log() -> Iterator[None]:
    """Keep onnxruntime's advice off the root logger, which it gives a handler for that."""
    before, handlers = logging.root.manager.disable, list(logging.root.handlers)
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
        logging.root.handlers[:] = handlers
