"""The recipe `demo`: both models that ship, trained side by side and measured together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mot_dinov3.config.fields import flag, require
from mot_dinov3.io.checkpoint import load_checkpoint
from mot_dinov3.perception.assets import DETECTOR_FILE, EMBEDDER_DIR
from mot_dinov3.training.recipes.base import Recipe, Suite

DETECTOR, EMBEDDER = "detector", "embedder"


@dataclass(frozen=True, slots=True)
class DemoSuite(Suite):
    """Train both demo models from random weights on drawn streets, without any download."""

    seed: int = flag(0, "--seed", "decides weights, streets and augmentation", metavar="NUMBER")
    detector_steps: int = flag(
        900, "--detector-steps", "steps of the detector's optimizer", metavar="STEPS"
    )
    embedder_steps: int = flag(
        1500, "--embedder-steps", "steps of the embedder's optimizer", metavar="STEPS"
    )
    streets: int = flag(8, "--streets", "held-out streets to measure on", metavar="COUNT")

    def __post_init__(self) -> None:
        for name in ("detector_steps", "embedder_steps", "streets"):
            value = getattr(self, name)
            require(value >= 1, f"--{name.replace('_', '-')}", "at least 1", value)
        require(self.seed >= 0, "--seed", "at least 0", self.seed)

    def recipes(self) -> Mapping[str, Recipe[Any, Any]]:
        """The detector and the embedder."""
        from mot_dinov3.training.recipes.demo.detector import DetectorRecipe
        from mot_dinov3.training.recipes.demo.embedder import EmbedderRecipe

        return {
            DETECTOR: DetectorRecipe(steps=self.detector_steps, seed=self.seed),
            EMBEDDER: EmbedderRecipe(steps=self.embedder_steps, seed=self.seed),
        }

    def finish(self, out: Path, minutes: float) -> list[Path]:
        """Write both models as the tracker reads them, and what they reach."""
        from mot_dinov3.training.recipes.demo.report import measure, write_figures

        self.write_models(out)
        return write_figures(out, measure(self, out, minutes))

    def write_models(self, out: Path) -> None:
        """Write both trained models in the formats that the tracker reads.

        Args:
            out: the folder of the run, with the folders of its parts inside.

        Raises:
            ModelError: a part has no checkpoint.
        """
        import torch

        from mot_dinov3.training.recipes.demo.detector import build_detector, save_detector
        from mot_dinov3.training.recipes.demo.embedder import build_embedder, save_embedder

        recipes = self.recipes()
        detector, embedder = build_detector(), build_embedder()
        for name, model in ((DETECTOR, detector), (EMBEDDER, embedder)):
            checkpoint = load_checkpoint(out / name, recipes[name].kind)
            arrays = checkpoint.weights.items()
            model.load_state_dict({key: torch.from_numpy(array) for key, array in arrays})
        save_detector(detector, out / DETECTOR_FILE)
        save_embedder(embedder, out / EMBEDDER_DIR)
