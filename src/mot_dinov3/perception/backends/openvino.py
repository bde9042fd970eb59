"""Runs networks with OpenVINO on the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from mot_dinov3.errors import MotError
from mot_dinov3.perception.backends.base import Edit
from mot_dinov3.perception.backends.choice import INT8, Choice
from mot_dinov3.perception.backends.openvino_setup import openvino_core
from mot_dinov3.perception.backends.problems import describe_load_problem, describe_run_problem
from mot_dinov3.runtime.cpu import has_bf16, thread_count
from mot_dinov3.runtime.interruption import LongWork
from mot_dinov3.values import FloatArray

HINTS = {"bf16": "bf16", "fp32": "f32"}
"""Precision -> OpenVINO's `INFERENCE_PRECISION_HINT`."""


class OpenVinoNetwork:
    """A compiled OpenVINO model, one request at a time, on as many threads as the process may use.

    Args:
        path: an .xml file with its .bin beside it, or an .onnx file.
        choice: its precision is handed to OpenVINO.
        device: only CPUs are used.
        edit: changes the model before it is compiled.

    Raises:
        ModelError: OpenVINO is missing, or cannot run the file.
        MotError: whatever `edit` raises.

    Attributes:
        title: backend and precision.
        precision: what it computes in.
        device: "cpu", whatever device was asked for.
        inputs: shape of every input; -1 where a size is open.
        input_names: name of every input.
        input_types: numpy's name for the numbers of every input.
        metadata: the notes of an ONNX file, or those of the converter in OpenVINO's own format.
    """

    title: str
    precision: str
    device = "cpu"
    takes_tensors = False

    def __init__(
        self, path: Path, choice: Choice, device: str = "cpu", edit: Edit | None = None
    ) -> None:
        core = openvino_core()
        self.title, self.precision = choice.title, choice.precision
        self._name = path.name
        settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": thread_count(),
            "ENABLE_CPU_PINNING": False,  # a busy core would be waited for while another is free
            "INFERENCE_PRECISION_HINT": HINTS[_between(choice.precision)],
        }
        try:
            with LongWork(path.name):
                model = _read(path)
            self.metadata = read_notes(model)
            edited = edit(model, path) if edit else model
            with LongWork(path.name):
                compiled = core.compile_model(edited, "CPU", settings)
            self.inputs = [_sizes(port) for port in compiled.inputs]
            self.input_names = [port.get_any_name() for port in compiled.inputs]
            self.input_types = [port.get_element_type().to_dtype().name for port in compiled.inputs]
            self._request: Any = compiled.create_infer_request()
            self._work = LongWork(path.name, self._request.cancel)
        except MotError:  # of `edit`, which has said it in its own words
            raise
        except Exception as error:
            raise describe_load_problem(path.name, choice.title, error) from error

    def __call__(self, pixels: FloatArray) -> tuple[FloatArray, ...]:
        """One forward pass; see `base.Network`."""
        try:
            fed = [pixels.astype(self.input_types[0], copy=False)]
            with self._work:
                answer = self._request.infer(fed, share_inputs=True, share_outputs=True)
        except Exception as error:
            if self._work.signal:
                raise self._work.explain() from error
            raise describe_run_problem(self._name, self.title, "cpu", error) from error
        return tuple(np.array(answer[index], np.float32) for index in range(len(answer)))


def read_notes(model: Any) -> dict[str, str]:  # noqa: ANN401 - an openvino model
    """What OpenVINO keeps of the metadata of an ONNX file, and of what a converter was told."""
    out: dict[str, str] = {}
    kept = dict(model.get_rt_info().items())
    for part in ("framework", "conversion_parameters"):
        try:
            out |= {name: note.astype(str) for name, note in kept[part].items()}
        except (AttributeError, KeyError, RuntimeError, TypeError):
            continue
    return out


def _between(precision: str) -> str:
    """The precision of the layers that the file does not declare as int8."""
    if precision == INT8:
        return "bf16" if has_bf16() else "fp32"
    return precision


def _read(path: Path) -> Any:  # noqa: ANN401 - openvino's
    """Read a model file as what its name says, so that OpenVINO tries and logs nothing else."""
    from openvino.frontend import FrontEndManager

    is_onnx = path.suffix.lower() == ".onnx"
    frontend = FrontEndManager().load_by_framework("onnx" if is_onnx else "ir")
    model = frontend.convert(frontend.load(str(path)))
    if not model.inputs:
        raise ValueError("it has no input")
    return model


def _sizes(port: Any) -> list[int]:  # noqa: ANN401 - an openvino port
    shape = port.get_partial_shape()
    return [size.get_length() if size.is_static else -1 for size in shape]
