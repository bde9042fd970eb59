"""What a network is to its callers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from mot_dinov3.values import FloatArray


class Network(Protocol):
    """A loaded network that turns a batch of pictures into arrays.

    Attributes:
        title: backend and precision, such as "OpenVINO bf16".
        precision: "fp32", "bf16", "fp16" or "int8"; what it computes in, its answers are float32.
        device: torch device string of where it really runs.
        takes_tensors: pictures may be tensors on that device, too.
    """

    title: str
    precision: str
    device: str
    takes_tensors: bool

    def __call__(self, pixels: FloatArray) -> tuple[FloatArray, ...]:
        """One forward pass.

        Args:
            pixels: (B, 3, h, w) float32, contiguous. What B, h and w may be was settled when
                the network was exported.

        Returns:
            Every output in its order, float32, owned by the caller.

        Raises:
            DeviceFullError: the device has no memory left; fewer pictures may fit.
            ModelError: the network refuses the input or fails.
        """


class FileNetwork(Network, Protocol):
    """A network that was read from a file.

    Attributes:
        inputs: shape of every input; -1 where a size is open.
        metadata: the file's own notes, name -> text.
    """

    inputs: list[list[int]]
    metadata: dict[str, str]


Edit: TypeAlias = Callable[[Any, Path], Any]
"""Takes an `openvino.Model` that was read from a path and returns the one to run instead."""
Export: TypeAlias = Callable[[Path], None]
"""Writes a model file of a backend's format (see `load.MODEL_FILES`) to the path it is given."""
