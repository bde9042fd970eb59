"""Runs networks with onnxruntime."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from mot_dinov3.errors import not_installed
from mot_dinov3.perception.backends.choice import Choice
from mot_dinov3.perception.backends.problems import describe_load_problem, describe_run_problem
from mot_dinov3.runtime.cpu import thread_count
from mot_dinov3.runtime.interruption import LongWork
from mot_dinov3.runtime.limits import GB
from mot_dinov3.runtime.opening import read_regular
from mot_dinov3.values import FloatArray

logger = logging.getLogger("mot_dinov3")

MOST_BYTES = 2 * GB
"""Of a model in one file: protobuf holds no more."""
Provider: TypeAlias = str | tuple[str, dict[str, str]]
"""One of onnxruntime's ways to run a network, and its settings."""
FLOAT_TYPES = {"tensor(float)": "float32", "tensor(float16)": "float16"}


class OnnxNetwork:
    """An onnxruntime session whose threads sleep while they have nothing to do.

    Args:
        path: an .onnx file.
        choice: backend and precision, for the title; the file settles what is computed.
        device: torch device string; CUDA is used where onnxruntime has it.

    Raises:
        ModelError: onnxruntime is missing, or cannot run the file.

    Attributes:
        title: backend and precision.
        precision: what it computes in.
        device: where it really runs.
        inputs: shape of every input; -1 where a size is open.
        input_names: name of every input.
        input_types: numpy's name for the numbers of every input, else onnxruntime's.
        metadata: the file's own notes.
    """

    title: str
    precision: str
    takes_tensors = False

    def __init__(self, path: Path, choice: Choice, device: str = "cpu") -> None:
        self.title, self.precision = choice.title, choice.precision
        self._name = path.name
        with LongWork(path.name):
            self._session = self._open(path, device)
        self._options, self._work = create_options(path.name)
        on_cuda = "CUDAExecutionProvider" in self._session.get_providers()
        self.device = device if on_cuda else "cpu"
        if device != self.device and device.startswith("cuda"):
            logger.warning("onnxruntime has no CUDA support here: %s runs on the CPU.", path.name)
        inputs = self._session.get_inputs()
        self.inputs = [[n if isinstance(n, int) else -1 for n in item.shape] for item in inputs]
        self.input_names = [item.name for item in inputs]
        self.input_types = [FLOAT_TYPES.get(item.type, item.type) for item in inputs]
        self.metadata: dict[str, str] = self._session.get_modelmeta().custom_metadata_map

    def _open(self, path: Path, device: str) -> Any:  # noqa: ANN401 - an onnxruntime session
        return open_session(path, list_providers(device))

    def __call__(self, pixels: FloatArray) -> tuple[FloatArray, ...]:
        """One forward pass; see `base.Network`."""
        fed = {self.input_names[0]: pixels.astype(self.input_types[0], copy=False)}
        try:
            with self._work:
                answer = self._session.run(None, fed, self._options)
        except Exception as error:
            if self._work.signal:
                self._options.terminate = False
                raise self._work.explain() from error
            raise describe_run_problem(self._name, self.title, self.device, error) from error
        return tuple(np.asarray(output).astype(np.float32, copy=False) for output in answer)


def create_options(name: str) -> tuple[Any, LongWork]:
    """What every run of a session is given, and the work that a signal ends with it.

    Args:
        name: of the model, for messages.
    """
    import onnxruntime as ort

    options = ort.RunOptions()

    def terminate() -> None:
        options.terminate = True

    return options, LongWork(name, terminate)


def list_providers(device: str) -> list[Provider]:
    """What runs a file on a device, best first: CUDA where it is asked for, and the CPU.

    Args:
        device: torch device string.
    """
    number = device.partition(":")[2] or "0"
    on_cuda = [("CUDAExecutionProvider", {"device_id": number})] * device.startswith("cuda")
    return [*on_cuda, "CPUExecutionProvider"]


def open_session(path: Path, providers: list[Provider]) -> Any:  # noqa: ANN401 - onnxruntime's
    """An inference session for a file.

    Args:
        path: the file.
        providers: what runs it, best first; those that this onnxruntime lacks are left out.

    Raises:
        ModelError: onnxruntime is missing, or cannot read the file.
    """
    try:
        import onnxruntime as ort
    except ImportError as error:
        raise not_installed("onnxruntime", "onnx", f"'{path.name}'") from error
    options = ort.SessionOptions()
    options.intra_op_num_threads = thread_count()
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    known = set(ort.get_available_providers())
    usable = [one for one in providers if (one if isinstance(one, str) else one[0]) in known]
    try:
        return ort.InferenceSession(_name_or_read(path), options, providers=usable)
    except Exception as error:
        raise describe_load_problem(path.name, "onnxruntime", error) from error


def _name_or_read(path: Path) -> str | bytes:
    """What opens a model: its path, or its content where onnxruntime cannot take the name."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return read_regular(path, MOST_BYTES)
    return str(path)
