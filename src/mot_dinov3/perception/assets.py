"""The two small models that ship inside the package: their name, and where they lie."""

from __future__ import annotations

from pathlib import Path

DEMO = "demo"
"""What both are called, in `--det` and in `--embed-model`."""

WEIGHTS_DIR = Path(__file__).resolve().parent / "weights"
DETECTOR_FILE, EMBEDDER_DIR, FIGURES_FILE = "demo_detector.pt", "demo_embedder", "figures.json"


def demo_detector_path() -> Path:
    """The Ultralytics weights file behind `--det demo`."""
    return WEIGHTS_DIR / DETECTOR_FILE


def demo_embedder_path() -> Path:
    """The transformers directory behind `--embed-model demo`."""
    return WEIGHTS_DIR / EMBEDDER_DIR


def figures_path() -> Path:
    """JSON with what both models reach on scenes that they were not trained on."""
    return WEIGHTS_DIR / FIGURES_FILE
