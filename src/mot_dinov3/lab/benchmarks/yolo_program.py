"""Ultralytics' own commands: `yolo track` on a clip, and `yolo export` of the weights."""

from __future__ import annotations

import math
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from mot_dinov3.lab.benchmarks.clip import ShortClip
from mot_dinov3.lab.benchmarks.context import BenchmarkContext
from mot_dinov3.lab.benchmarks.peer_link import build_peers_environment
from mot_dinov3.lab.benchmarks.program import Program, find_last_line

STRIDE = 32
EXPORT_LIMIT_S = 300


def weights_of(context: BenchmarkContext) -> str:
    """The absolute path of the weights, as programs run in directories of their own."""
    return str(Path(context.config.detector.det).absolute())


def compute_input_shape(wh: tuple[int, int], imgsz: int) -> tuple[int, int]:
    """(height, width) of a picture whose longer side is `imgsz`, padded to the network's stride."""
    scale = imgsz / max(wh)
    width, height = (math.ceil(round(side * scale) / STRIDE) * STRIDE for side in wh)
    return height, width


def build_yolo_program(
    context: BenchmarkContext, clip: ShortClip, model: str, size: str, name: str
) -> Program:
    """Build `yolo track` on the clip; it prints a line a frame and one when all is written."""
    directory = context.directory / f"yolo-{name}"
    words = [
        "track",
        f"model={model}",
        f"source={clip.path}",
        f"imgsz={size}",
        "device=cpu",
        "tracker=bytetrack.yaml",
        "save=True",
        f"project={directory}",
        "name=out",
    ]
    return Program(
        build_yolo_command(context, words),
        directory,
        frame_line=r"\(frame \d+/\d+\)",
        end_line="Results saved to",
        environment=build_yolo_environment(),
    )


def build_yolo_command(context: BenchmarkContext, words: Sequence[str]) -> list[str]:
    """Build the `yolo` command of the peers' interpreter."""
    start = "from ultralytics.cfg import entrypoint; entrypoint()"
    return [context.settings.peers_python, "-c", start, *words]


def build_yolo_environment() -> dict[str, str]:
    """Without a network, but with the lines that it prints by default."""
    return {**build_peers_environment(), "YOLO_VERBOSE": "True"}


def export_weights(context: BenchmarkContext, kind: str, size: str) -> tuple[str, str]:
    """Export the weights by Ultralytics: (path of the result, "") or ("", the problem)."""
    source = Path(weights_of(context))
    directory = context.directory / f"export-{kind}-{size.replace(',', 'x')}"
    directory.mkdir(exist_ok=True)
    weights = directory / source.name
    shutil.copyfile(source, weights)
    words = ["export", f"model={weights}", f"format={kind}", f"imgsz={size}", "device=cpu"]
    try:
        done = subprocess.run(
            build_yolo_command(context, words),
            cwd=directory,
            env=build_yolo_environment(),
            text=True,
            capture_output=True,
            timeout=EXPORT_LIMIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return "", f"it could not be exported: {error}"
    made = next((p for p in directory.iterdir() if p != weights and kind in p.name), None)
    if done.returncode or made is None:
        return "", f"it could not be exported: {find_last_line(done.stdout + done.stderr)}"
    return str(made), ""
