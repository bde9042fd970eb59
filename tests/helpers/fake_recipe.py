"""A recipe with two parameters that trains in milliseconds."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mot_dinov3.config.fields import flag
from mot_dinov3.io.checkpoint import CheckpointConfig
from mot_dinov3.training.recipes.base import (
    Assessment,
    NumberedBatches,
    Recipe,
    Suite,
    new_default,
)

if TYPE_CHECKING:
    from torch import Tensor, nn

SLOPE, OFFSET = 3.0, -1.0


@dataclass(frozen=True, slots=True)
class LineRecipe(Recipe[None, "dict[str, Tensor]"]):
    """Learn y = 3 x - 1 from noisy points, with dropout so that every random state matters.

    Attributes:
        supply: "numbered" for batches by number, "stream" for a supply with a state.
        nan_at: the batch whose loss is not a number; -1 none.
        signal_at: the batch at which this process gets the signal of that number; -1 none.
        kind_name: the kind of checkpoint.
    """

    steps: int = new_default(Recipe, "steps", 40)
    rate: float = new_default(Recipe, "rate", 0.1)
    ema: int = new_default(Recipe, "ema", 10)
    checkpoint_every: int = new_default(Recipe, "checkpoint_every", 5)
    size: int = flag(8, "--size", "points in a batch", metavar="N")
    supply: str = "numbered"
    noise: float = 0.1
    dropout: float = 0.2
    nan_at: int = flag(-1, "--nan-at", "batch", metavar="N")
    signal_at: int = -1
    signal_number: int = int(signal.SIGTERM)
    kind_name: str = "line"
    log_every: int = 1

    @property
    def kind(self) -> str:
        return self.kind_name

    def open_data(self) -> None:
        return None

    def build(self, data: None) -> nn.Module:
        from torch import nn

        return nn.Sequential(nn.Dropout(self.dropout), nn.Linear(1, 1))

    def batches(self, data: None, rank: int) -> Any:
        return Stream(self, rank) if self.supply == "stream" else NumberedBatches(self.draw)

    def draw(self, number: int) -> dict[str, Tensor]:
        return self.draw_from(np.random.default_rng([self.seed, number]), number)

    def draw_from(self, rng: np.random.Generator, number: int) -> dict[str, Tensor]:
        import torch

        if number == self.signal_at:
            os.kill(os.getpid(), self.signal_number)
        x = rng.uniform(-1, 1, (self.size, 1)).astype(np.float32)
        y = SLOPE * x + OFFSET + self.noise * rng.standard_normal(x.shape).astype(np.float32)
        if number == self.nan_at:
            y[0] = np.nan
        return {"x": torch.from_numpy(x), "y": torch.from_numpy(y)}

    def loss(self, model: nn.Module, batch: dict[str, Tensor], turn: str) -> Mapping[str, Tensor]:
        wrong = model(batch["x"]) - batch["y"]
        return {"square": (wrong**2).mean(), "small": 0.01 * wrong.abs().mean()}

    def evaluate(self, model: nn.Module, data: None) -> Assessment:
        import torch

        torch.rand(3)  # an evaluation that draws must not change what is learned
        error = abs(float(model[1].weight) - SLOPE) + abs(float(model[1].bias) - OFFSET)
        return Assessment({"error": error}, "error", higher_is_better=False)

    def describe(self, data: None) -> CheckpointConfig:
        return CheckpointConfig(self.kind, sizes={"dim": 1})


class Stream:
    """A supply of batches with a state: one generator that goes on and on."""

    def __init__(self, recipe: LineRecipe, rank: int) -> None:
        self._recipe = recipe
        self._rng = np.random.default_rng([recipe.seed, rank, 99])

    def batch(self, number: int) -> dict[str, Tensor]:
        return self._recipe.draw_from(self._rng, number)

    def state_dict(self) -> dict[str, Any]:
        return {"rng": self._rng.bit_generator.state}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._rng.bit_generator.state = state["rng"]


@dataclass(frozen=True, slots=True)
class Terminated(LineRecipe):
    """Gets SIGTERM while it draws its eighth batch."""

    signal_at: int = 7


@dataclass(frozen=True, slots=True)
class Interrupted(Terminated):
    """Gets SIGINT while it draws its eighth batch."""

    signal_number: int = int(signal.SIGINT)


@dataclass(frozen=True, slots=True)
class TwoLines(Suite):
    """Two recipes side by side.

    Attributes:
        trouble: what befalls the second part: "", "diverges", "killed" or "stopped", which is the
            whole suite.
    """

    steps: int = flag(30, "--steps", "steps of each part", metavar="N")
    trouble: str = flag("", "--trouble", "what befalls the second part")

    def recipes(self) -> Mapping[str, Recipe[Any, Any]]:
        troubled = {
            "": LineRecipe(steps=self.steps, seed=2),
            "diverges": LineRecipe(steps=self.steps, seed=2, nan_at=7),
            "killed": Terminated(steps=self.steps, seed=2, signal_number=int(signal.SIGKILL)),
            "stopped": Terminated(steps=self.steps, seed=2),
        }
        return {"one": LineRecipe(steps=self.steps), "two": troubled[self.trouble]}

    def finish(self, out: Path, minutes: float) -> list[Path]:
        (out / "measured.txt").write_text("measured")
        return [out / "measured.txt"]
