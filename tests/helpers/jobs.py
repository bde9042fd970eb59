"""The main job from outside: a scene with known boxes, and ways to start the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from helpers.clips import Clip, make_clip
from helpers.places import ROOT

TORCH_FREE = ("--device", "cpu", "--embedder", "none")
FRAMES, SIZE = 30, (160, 120)
QUIET_ENVIRONMENT = ("MOT_", "HF_", "HUGGING")


def make_scene(directory, frames=FRAMES):
    """A clip of `frames` pictures and its detections: two boxes side by side, walking right."""
    make_clip(directory / "clip.mp4", Clip(frames=frames, size=SIZE))
    rows = []
    for index in range(frames):
        for top, score in ((20, 0.9), (70, 0.8)):
            rows.append(f"{index + 1},-1,{10 + 2 * index},{top},20,40,{score}")
    (directory / "det.txt").write_text("\n".join(rows) + "\n")
    return directory


def replay(directory, *words):
    """Arguments that track the scene in `directory` without any model."""
    source, det = str(directory / "clip.mp4"), f"mot:{directory / 'det.txt'}"
    return ["--source", source, "--det", det, *TORCH_FREE, *words]


def tiny_onnx(path):
    """An embedder that answers a crop's mean colour; costs next to nothing."""
    from onnx import TensorProto, checker, helper, save

    nodes = [
        helper.make_node("GlobalAveragePool", ["images"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["vector"]),
    ]
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, 32, 16])
    vector = helper.make_tensor_value_info("vector", TensorProto.FLOAT, ["batch", 3])
    graph = helper.make_graph(nodes, "mean_colour", [images], [vector])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    checker.check_model(model)
    save(model, str(path))
    return path


def environment(**more):
    """The caller's variables without those that change what a run does."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(QUIET_ENVIRONMENT)}
    return {**kept, "OMP_NUM_THREADS": "1", **{k: str(v) for k, v in more.items()}}


def start(*words, cwd, **variables):
    """The command line as a process of its own, its words still to be read."""
    return subprocess.Popen(
        [sys.executable, str(ROOT / "cli.py"), *map(str, words)],
        cwd=cwd, env=environment(**variables), text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def cli(*words, cwd, **variables):
    """Run the command line to its end: (exit code, standard output, standard error)."""
    process = start(*words, cwd=cwd, **variables)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def records(path):
    """The lines of a `--save-jsonl` file."""
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def mot_rows(path):
    """(N, 10) of a `--save-mot` file."""
    lines = Path(path).read_text().splitlines()
    return np.array([line.split(",") for line in lines], np.float64).reshape(-1, 10)
