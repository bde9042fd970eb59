"""Models and other files of a run that hold code."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from mot_dinov3.errors import EXIT_INPUT, EXIT_MODEL, EXIT_OK, EXIT_USAGE
from mot_dinov3.lab.selftest.cases import CannotRunError
from mot_dinov3.lab.selftest.traps import Prepare, Traps, Trick
from mot_dinov3.perception.assets import demo_embedder_path

LIGHT = ("--device", "cpu", "--output", "o.mp4", "--max-frames", "2")
DETECT = ("--source", "{clip}", "--embedder", "none", *LIGHT)
EMBED = ("--source", "{clip}", "--det", "{boxes}", *LIGHT)

Call: TypeAlias = tuple[Callable[..., object], tuple[object, ...]]


class Evil:
    """Unpickled, it calls a function."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def __reduce__(self) -> Call:
        return self._call


def build_evil_pickle(marker: Path, protocol: int = 2) -> bytes:
    """Build a pickle that makes the marker when it is loaded."""
    return pickle.dumps({"model": Evil((os.mkdir, (str(marker),)))}, protocol)


def write_evil_archive(path: Path, marker: Path) -> None:
    """Write such a pickle into an archive like that of `torch.save`."""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("archive/data.pkl", build_evil_pickle(marker))
        file.writestr("archive/version", "3\n")
        file.writestr("archive/byteorder", "little")


def plant_archive(name: str, flag: str) -> Prepare:
    """Plant a weights file of PyTorch that holds code."""

    def prepare(directory: Path, traps: Traps) -> Sequence[str]:
        write_evil_archive(directory / name, traps.marker)
        return (flag, name, *DETECT) if flag == "--det" else (flag, name, *EMBED)

    return prepare


def plant_pickle(name: str, protocol: int) -> Prepare:
    """Plant a bare pickle that calls itself weights."""

    def prepare(directory: Path, traps: Traps) -> Sequence[str]:
        (directory / name).write_bytes(build_evil_pickle(traps.marker, protocol))
        return ("--det", name, *DETECT)

    return prepare


def plant_metadata(directory: Path, traps: Traps) -> Sequence[str]:
    """Plant an export whose description calls Python."""
    place = directory / "x_openvino_model"
    place.mkdir()
    (place / "x.xml").write_text('<?xml version="1.0"?><net name="x" version="11"></net>')
    (place / "x.bin").write_bytes(bytes(16))
    (place / "metadata.yaml").write_text(
        f"names: !!python/object/apply:builtins.open ['{traps.marker}', 'w']\ntask: detect\n"
    )
    return ("--det", "x_openvino_model", *DETECT)


def plant_repository(
    *, weights: str, kind: str = "", flag: str = "dino", processor: bool = False
) -> Prepare:
    """Plant a directory of a model that asks for its own code to be run.

    Args:
        weights: "safetensors" for the demo's own, "pickle" for an evil one.
        kind: the architecture it calls itself, "" to keep the demo's.
        flag: the embedder that opens it.
        processor: the code is asked for by the processor alone.
    """

    def prepare(directory: Path, traps: Traps) -> Sequence[str]:
        place = directory / "model"
        shutil.copytree(demo_embedder_path(), place)
        code = f"open({str(traps.marker)!r}, 'w')\nclass Evil: pass\nEvilConfig = Evil\n"
        for name in ("modeling_evil.py", "__init__.py", "processing_evil.py"):
            (place / name).write_text(code, encoding="utf-8")
        change_json(
            place / "preprocessor_config.json",
            {
                "auto_map": {
                    "AutoImageProcessor": "processing_evil.Evil",
                    "AutoFeatureExtractor": "processing_evil.Evil",
                }
            }
            | ({"image_processor_type": "Evil"} if processor else {}),
        )
        if not processor:
            change_json(
                place / "config.json",
                {
                    "auto_map": {
                        "AutoConfig": "modeling_evil.EvilConfig",
                        "AutoModel": "modeling_evil.Evil",
                    },
                    "trust_remote_code": True,
                }
                | ({"model_type": kind} if kind else {}),
            )
        if weights == "pickle":
            (place / "model.safetensors").unlink()
            write_evil_archive(place / "pytorch_model.bin", traps.marker)
        return ("--embedder", flag, "--embed-model", "model", *EMBED)

    return prepare


def change_json(path: Path, keys: dict[str, object]) -> None:
    """Set keys in a JSON file."""
    known = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(known | keys), encoding="utf-8")


def plant_external_weights(directory: Path, traps: Traps) -> Sequence[str]:
    """Plant a network of ONNX whose numbers are said to lie outside of its directory."""
    try:
        from onnx import TensorProto, helper
    except ImportError as error:
        raise CannotRunError("no package 'onnx'") from error
    numbers = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[3, 2])
    numbers.data_location = TensorProto.EXTERNAL
    for key, value in (("location", f"../secret/{traps.secret.name}"), ("length", "24")):
        numbers.external_data.add(key=key, value=value)
    image = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", 3, 32, 16])
    vector = helper.make_tensor_value_info("vector", TensorProto.FLOAT, ["n", 2])
    nodes = [
        helper.make_node("GlobalAveragePool", ["images"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["vector"]),
    ]
    graph = helper.make_graph(nodes, "evil", [image], [vector], [numbers])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    (directory / "net").mkdir()
    (directory / "net" / "net.onnx").write_bytes(model.SerializeToString())
    return ("--embedder", "onnx", "--embed-model", "net/net.onnx", *EMBED)


def plant_recording(directory: Path, traps: Traps) -> Sequence[str]:
    """Plant a recording for `replay` whose arrays are pickles."""
    import io

    import numpy as np

    member = io.BytesIO()
    np.save(member, np.array([Evil((os.mkdir, (str(traps.marker),)))], object), allow_pickle=True)
    with zipfile.ZipFile(directory / "in.npz", "w") as file:
        for name in ("header", "index", "xyxy", "score", "class_id", "vectors"):
            file.writestr(f"{name}.npy", member.getvalue())
    return ("replay", "--cache", "in.npz", "--out", "out")


def plant_settings(directory: Path, traps: Traps) -> Sequence[str]:
    """Plant a configuration that is Python."""
    (directory / "in.toml").write_text(f"source = __import__('os').open('{traps.marker}', 577)\n")
    return ("--config", "in.toml", *DETECT)


MODEL_TRICKS = (
    Trick("weights-archive", EXIT_MODEL, plant_archive("evil.pt", "--det")),
    Trick("weights-pickle", EXIT_MODEL, plant_pickle("evil.pt", 2)),
    Trick("weights-new-pickle", EXIT_MODEL, plant_pickle("evil.pt", 4)),
    Trick("weights-torchscript", EXIT_MODEL, plant_archive("evil.torchscript", "--det")),
    Trick("export-metadata", EXIT_MODEL, plant_metadata),
    Trick("repository-code", EXIT_MODEL, plant_repository(weights="safetensors", kind="evil")),
    Trick("repository-known", EXIT_OK, plant_repository(weights="safetensors")),
    Trick("repository-pickle", EXIT_MODEL, plant_repository(weights="pickle")),
    Trick(
        "repository-dense",
        EXIT_MODEL,
        plant_repository(weights="safetensors", kind="evil", flag="dense"),
    ),
    Trick(
        "repository-clip",
        EXIT_MODEL,
        plant_repository(weights="safetensors", kind="evil", flag="clip"),
    ),
    Trick(
        "repository-processor", EXIT_MODEL, plant_repository(weights="safetensors", processor=True)
    ),
    Trick("onnx-elsewhere", EXIT_MODEL, plant_external_weights),
    Trick("onnx-pickle", EXIT_MODEL, plant_archive("evil.onnx", "--embed-model")),
    Trick("recording-pickle", EXIT_INPUT, plant_recording),
    Trick("settings-code", EXIT_USAGE, plant_settings),
)
"""Every trick that a model, a recording or a configuration can try."""
