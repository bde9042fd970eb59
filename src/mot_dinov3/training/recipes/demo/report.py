"""Measures a finished training run and writes its figures beside the weights."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Any

import torch

from mot_dinov3.perception.assets import DETECTOR_FILE, EMBEDDER_DIR, FIGURES_FILE
from mot_dinov3.training.recipes.demo.embedder import build_embedder, save_embedder
from mot_dinov3.training.recipes.demo.figures import measure_detector, measure_embedder
from mot_dinov3.training.recipes.demo.scenes import build_held_out_streets

if TYPE_CHECKING:
    from mot_dinov3.training.recipes.demo.suite import DemoSuite

IMAGE_SIZES = (960, 640)


def measure(suite: DemoSuite, out: Path, minutes: float) -> dict[str, Any]:
    """Measure both models and the embedder's untrained control.

    Args:
        suite: the settings of the run.
        out: directory with the weights of both models.
        minutes: how long training took.

    Returns:
        The figures, ready for JSON.
    """
    started = perf_counter()
    streets = list(build_held_out_streets(suite.streets))
    detector = {
        str(imgsz): measure_detector(out / DETECTOR_FILE, streets, imgsz) for imgsz in IMAGE_SIZES
    }
    embedder = measure_embedder(out / EMBEDDER_DIR, streets)
    with TemporaryDirectory() as folder:
        untrained = measure_embedder(save_untrained_embedder(Path(folder), suite.seed), streets)
    files = [out / DETECTOR_FILE, *(out / EMBEDDER_DIR).iterdir()]
    return {
        "command": f"python cli.py train demo --seed {suite.seed} "
        f"--detector-steps {suite.detector_steps} --embedder-steps {suite.embedder_steps}",
        "seed": suite.seed,
        "training_minutes": round(minutes, 1),
        "measuring_minutes": round((perf_counter() - started) / 60, 1),
        "held_out_street_seeds": [0, suite.streets - 1],
        "bytes": sum(file.stat().st_size for file in files),
        "detector": detector,
        "embedder": embedder,
        "embedder_untrained": untrained,
    }


def save_untrained_embedder(directory: Path, seed: int) -> Path:
    """The control: the same architecture with random weights, saved in `directory`."""
    torch.manual_seed(seed)
    save_embedder(build_embedder(), directory)
    return directory


def write_figures(out: Path, figures: dict[str, Any]) -> list[Path]:
    """Write the figures as JSON and as a page for people; returns all that the run left."""
    (out / FIGURES_FILE).write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    (out / "README.md").write_text(format_page(figures), encoding="utf-8")
    return [out / name for name in (DETECTOR_FILE, EMBEDDER_DIR, FIGURES_FILE, "README.md")]


def format_page(figures: dict[str, Any]) -> str:
    """The figures as a short Markdown page."""
    rows = [
        f"| {imgsz} | {name} | {of['recall']:.3f} | {of['precision']:.3f} | {of['ap50']:.3f} |"
        for imgsz, classes in figures["detector"].items()
        for name, of in classes.items()
    ]
    for title, key in (("trained", "embedder"), ("random weights", "embedder_untrained")):
        of = figures[key]
        numbers = " | ".join(
            f"{of[name]:.3f}"
            for name in ("auc", "rank1", "same_mean", "same_p5", "different_mean", "different_p95")
        )
        rows.append(f"| {title} | {numbers} |")
    detector_rows, embedder_rows = "\n".join(rows[:-2]), "\n".join(rows[-2:])
    first, last = figures["held_out_street_seeds"]
    return _PAGE.format(
        command=figures["command"],
        minutes=figures["training_minutes"],
        megabytes=figures["bytes"] / 1e6,
        detector=detector_rows,
        embedder=embedder_rows,
        seeds=f"{first} to {last}",
    )


_PAGE = """# Demo models

Two small models for `--det demo` and `--embed-model demo`: a YOLOv8-shaped detector
(`demo_detector.pt`, Ultralytics format) and a DINOv2-shaped embedder (`demo_embedder/`,
transformers format). They know the procedural street of `mot_dinov3.data.synthetic` and nothing of
the real world. {megabytes:.1f} MB in all.

Trained from random weights in {minutes} minutes on two CPU cores by

    {command}

Measured on the streets with the seeds {seeds}; training uses seeds from 1,000,000 on. Objects
count when more than half of them can be seen.

Detector at confidence 0.3 and IoU 0.5:

| `--imgsz` | class | recall | precision | AP50 |
|---|---|---|---|---|
{detector}

Embedder, cosines between crops of one street; rank-1 is after at least two seconds:

| weights | AUC | rank-1 | same, mean | same, 5 % | different, mean | different, 95 % |
|---|---|---|---|---|---|---|
{embedder}
"""
