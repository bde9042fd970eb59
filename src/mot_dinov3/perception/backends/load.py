"""Makes an exported file, or finds it in the cache, and loads it as a network."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from mot_dinov3.errors import ModelError
from mot_dinov3.perception.backends.base import Edit, Export, FileNetwork
from mot_dinov3.perception.backends.cache import ExportKey, open_entry
from mot_dinov3.perception.backends.choice import ONNX, OPENVINO, TENSORRT, Choice
from mot_dinov3.registry import Registry
from mot_dinov3.runtime.git_lfs import refuse_pointer
from mot_dinov3.runtime.opening import is_regular

NETWORKS = Registry(
    "backend",
    {
        OPENVINO: ("mot_dinov3.perception.backends.openvino:OpenVinoNetwork", "Intel's runtime"),
        ONNX: ("mot_dinov3.perception.backends.onnxruntime:OnnxNetwork", "ONNX Runtime"),
        TENSORRT: (
            "mot_dinov3.perception.backends.tensorrt:TensorRtNetwork",
            "TensorRT, by ONNX Runtime",
        ),
    },
)
"""Backends that run files; each entry is called with (path, choice, device)."""
MODEL_FILES = {OPENVINO: "model.xml", ONNX: "model.onnx"}

MOST_XML_BYTES = 256 << 20
"""Of a description of OpenVINO's, whose weights are in another file; large models take 10 MB."""


def load_network(
    path: Path,
    choice: Choice,
    device: str,
    edit: Edit | None = None,
    place: Path | None = None,
) -> FileNetwork:
    """Load an exported file to run as chosen; OpenVINO also reads ONNX files.

    Args:
        path: the file.
        choice: backend and precision.
        device: torch device string.
        edit: changes a model before it is compiled; OpenVINO only.
        place: directory of the exports, where TensorRT keeps its engines.

    Raises:
        ModelError: it is a pointer of git-lfs, or not a model that the backend can run, or the
            backend is missing.
        DeviceError: it does not fit into the device's memory.
    """
    _require_regular(path)
    for file in (path, path.with_suffix(".bin")):
        refuse_pointer(file, ModelError)
    more: dict[str, object] = {}
    if edit is not None and choice.backend == OPENVINO:
        more["edit"] = edit
    if choice.backend == TENSORRT:
        more["place"] = place
    return cast("FileNetwork", NETWORKS.load(choice.backend)(path, choice, device, **more))


def _require_regular(path: Path) -> None:
    """Refuse a model, or the weights beside it, that a backend would read without end.

    Raises:
        ModelError: one of them is a pipe or a device, or a description is of no sane size.
    """
    files = [*path.rglob("*")] if path.is_dir() else [path, path.with_suffix(".bin")]
    for file in files:
        if file.suffix == ".xml" and is_regular(file) and file.stat().st_size > MOST_XML_BYTES:
            raise ModelError(
                f"'{file}' is too large to describe a model.",
                fix="Fetch or export the model again; its weights are in the .bin file beside it.",
            )
        if os.path.lexists(file) and not (is_regular(file) or file.is_dir()):
            raise ModelError(
                f"'{file}' of a model is not a regular file.",
                fix="Fetch or export the model again.",
            )


@contextmanager
def open_export(key: ExportKey, export: Export, place: Path) -> Iterator[Path]:
    """Yield the model file of an export that was made before, or that `export` makes now.

    It lies in a folder of its own, where `export` may leave notes beside it. Load it before the
    block ends: where nothing can be kept the folder is gone then.

    Args:
        key: everything that the export depends on.
        export: writes the model to the path that it is given, in the format of
            `key.choice.file_format` and the numbers of `key.stored`.
        place: directory of the exports, see `cache.export_place`.

    Raises:
        Exception: as `export` does; then nothing is kept.
    """
    name = MODEL_FILES[key.choice.file_format]
    with open_entry(key.folder, lambda folder: export(folder / name), place) as folder:
        yield folder / name
