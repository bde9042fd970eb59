"""Weights and packages that are missing, damaged or of another kind."""

from __future__ import annotations

import shutil
from pathlib import Path

from mot_dinov3.errors import EXIT_MODEL, EXIT_USAGE
from mot_dinov3.lab.selftest.fault_cases.base import (
    Fault,
    Prepare,
    changed,
    files,
    nothing,
    without_package,
)
from mot_dinov3.lab.selftest.fault_cases.input import GARBAGE
from mot_dinov3.lab.selftest.scenes import Scene
from mot_dinov3.perception.assets import demo_detector_path, demo_embedder_path

ALONE = "--device cpu --embedder none --no-video --export-cache exports"
BESIDE = "--source {clip} --det {boxes} --device cpu --no-video --export-cache exports"


def weights(name: str, says: str, content: bytes | None, suffix: str = ".pt") -> Fault:
    """A detector's file with some content, or none at all."""
    words = f"--source {{clip}} --det bad{suffix} {ALONE}"
    prepare = nothing if content is None else files({f"bad{suffix}": content})
    return Fault(name, words, EXIT_MODEL, says, prepare)


def half_weights(directory: Path, scene: Scene) -> None:
    """`bad.pt`: the first half of the demo detector."""
    whole = demo_detector_path().read_bytes()
    (directory / "bad.pt").write_bytes(whole[: len(whole) // 2])


def model(*, without: str = "", damage: str = "", by: bytes = GARBAGE) -> Prepare:
    """`model`: the demo embedder, one file of it left out or replaced."""

    def make(directory: Path, scene: Scene) -> None:
        shutil.copytree(demo_embedder_path(), directory / "model")
        if without:
            (directory / "model" / without).unlink()
        if damage:
            (directory / "model" / damage).write_bytes(by)

    return changed(make)


def pickled(directory: Path, scene: Scene) -> None:
    """`model`: the demo embedder with weights under the name of a pickle."""
    shutil.copytree(demo_embedder_path(), directory / "model")
    safe = directory / "model" / "model.safetensors"
    safe.rename(safe.with_name("pytorch_model.bin"))


def embedder(name: str, says: str, prepare: Prepare, code: int = EXIT_MODEL) -> Fault:
    """A directory `model` that is no embedder."""
    return Fault(name, f"{BESIDE} --embed-model ./model", code, says, prepare)


ONNX = f"{BESIDE} --embedder onnx"
TINY_CONFIG = b'{"model_type": "no_such_network"}'

FAULTS = (
    weights("weights-missing", "neither a file here nor an official", None),
    weights("weights-empty", "is empty", b""),
    weights("weights-garbage", "is not a PyTorch file", GARBAGE),
    weights("weights-text", "describes a network but holds no weights", b"nc: 80\n", ".yaml"),
    weights("weights-kind-unknown", "not of a kind that Ultralytics loads", GARBAGE, ".h5"),
    weights("weights-onnx-garbage", "bad.onnx", GARBAGE, ".onnx"),
    weights("weights-openvino-garbage", "bad.xml", b"<net></net>", ".xml"),
    Fault("weights-cut", f"--source {{clip}} --det bad.pt {ALONE}", EXIT_MODEL,
          "cut off or damaged", changed(half_weights)),
    Fault("weights-address", f"--source {{clip}} --det https://host/y.pt {ALONE}", EXIT_MODEL,
          "not an address"),
    Fault("weights-misspelt", f"--source {{clip}} --det yolov8m8.pt {ALONE}", EXIT_MODEL,
          "Did you mean"),
    Fault("weights-nameless", "--source {clip} --det mot: {light}", EXIT_USAGE, "names no file"),
    Fault("onnx-unnamed", ONNX, EXIT_USAGE, "needs a model file"),
    Fault("onnx-missing", f"{ONNX} --embed-model no.onnx", EXIT_MODEL, "does not exist"),
    Fault("onnx-directory", f"{ONNX} --embed-model d", EXIT_MODEL, "is a directory",
          files({"d/": ""})),
    Fault("onnx-empty", f"{ONNX} --embed-model e.onnx", EXIT_MODEL, "e.onnx",
          files({"e.onnx": b""})),
    Fault("onnx-garbage", f"{ONNX} --embed-model e.onnx", EXIT_MODEL, "e.onnx",
          files({"e.onnx": GARBAGE})),
    embedder("model-missing", "does not exist", nothing),
    embedder("model-without-config", r"no config\.json", model(without="config.json")),
    embedder("model-without-weights", "no safetensors weights", model(without="model.safetensors")),
    embedder("model-pickle", "a pickle that could run any code", changed(pickled)),
    embedder("model-config-garbage", "model", model(damage="config.json")),
    embedder("model-config-unknown", "no_such_network",
             model(damage="config.json", by=TINY_CONFIG)),
    embedder("model-weights-garbage", "model", model(damage="model.safetensors")),
    embedder("model-weights-empty", "model", model(damage="model.safetensors", by=b"")),
    Fault("package-openvino", f"--source {{clip}} --det demo --backend openvino {ALONE}",
          EXIT_MODEL, "(?s)openvino.*pip install", without_package("openvino")),
    Fault("package-onnxruntime", f"--source {{clip}} --det demo --backend onnx {ALONE}",
          EXIT_MODEL, "(?s)onnxruntime.*pip install", without_package("onnxruntime")),
    Fault("package-nncf", f"--source {{clip}} --det demo --precision int8 {ALONE}",
          EXIT_MODEL, "(?s)nncf.*pip install", without_package("nncf")),
    Fault("package-jinja2", "{track} --output o.mp4 --report r.html",
          EXIT_MODEL, "(?s)jinja2.*pip install", without_package("jinja2")),
    Fault("package-shtab", "completion bash", EXIT_MODEL, "(?s)shtab.*pip install",
          without_package("shtab")),
    Fault("package-ray", "--source {clip} --each --det motion --ray --output o.mp4 "
          "--embedder none --device cpu", EXIT_MODEL, "(?s)ray.*pip install",
          without_package("ray")),
    Fault("package-plotly", "report {journal} -o r.html", EXIT_MODEL,
          "(?s)plotly.*pip install", without_package("plotly")),
    Fault("package-trackeval", "eval --gt g.txt --pred g.txt", EXIT_MODEL,
          "(?s)trackeval.*pip install", without_package("trackeval",
          files({"g.txt": "1,1,10,20,30,40,1,1,1\n"}))),
)  # fmt: skip
