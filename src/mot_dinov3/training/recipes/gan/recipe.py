"""The recipe `gan`: pictures that look like crops, by one of three objectives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mot_dinov3.config.fields import flag, require
from mot_dinov3.errors import UsageError
from mot_dinov3.io.checkpoint import CheckpointConfig
from mot_dinov3.training.recipes.base import (
    AVERAGED_STEPS,
    Assessment,
    BatchSource,
    NumberedBatches,
    Recipe,
    new_default,
)

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer

    from mot_dinov3.training.recipes.gan.data import CropPictures
    from mot_dinov3.training.recipes.gan.judge import Judge

KINDS = ("dcgan", "vaegan", "vaewgangp")
GENERATOR = "generator"
"""The last turn; those before it are the critic's, and have numbers for names."""
BETAS = (0.5, 0.9)


@dataclass(frozen=True, slots=True)
class GanData:
    """What is learned from, and what measures it."""

    pictures: CropPictures
    judge: Judge


@dataclass(frozen=True, slots=True)
class GanRecipe(Recipe[GanData, "Tensor"]):
    """How a generator of crops is trained.

    A batch holds as many pictures for each turn of the critic; the generator's turn takes the
    first of them.
    """

    data: str = flag("", "--data", "crops as Market-1501 names them", metavar="DIR")
    objective: str = flag(
        "dcgan",
        "--kind",
        "hinge loss; with an encoder and reconstruction; the same with a gradient penalty",
        choices=KINDS,
    )
    ngf: int = flag(64, "--ngf", "channels of the generator's last layer", metavar="COUNT")
    ndf: int = flag(64, "--ndf", "channels of the critic's first layer", metavar="COUNT")
    noise: int = flag(128, "--noise", "numbers that decide a picture", metavar="COUNT")
    batch: int = flag(32, "--bs", "pictures of a batch", metavar="COUNT")
    judge: str = flag(
        "",
        "--judge",
        "re-identification network whose features measure the pictures; "
        "without it one of random weights does",
        metavar="FILE",
    )
    reconstruction: float = flag(
        1.0, "--reconstruction", "weight of the reconstruction, with an encoder", metavar="WEIGHT"
    )
    divergence: float = flag(
        0.01, "--divergence", "weight of the KL divergence, with an encoder", metavar="WEIGHT"
    )
    steps: int = new_default(Recipe, "steps", 3000)
    rate: float = new_default(Recipe, "rate", 4e-4)
    warm_up: int = new_default(Recipe, "warm_up", 0)
    evaluate_every: int = new_default(Recipe, "evaluate_every", 500)
    ema: int = new_default(Recipe, "ema", AVERAGED_STEPS)

    def __post_init__(self) -> None:
        super(GanRecipe, self).__post_init__()
        for name, value in (("--ngf", self.ngf), ("--ndf", self.ndf), ("--noise", self.noise)):
            require(value >= 1, name, "at least 1", value)
        require(self.batch >= 4, "--bs", "at least 4", self.batch)
        require(self.objective in KINDS, "--kind", f"one of {', '.join(KINDS)}", self.objective)

    @property
    def kind(self) -> str:
        """The name of these checkpoints."""
        return "gan"

    def open_data(self) -> GanData:
        """The crops, resized and in memory."""
        from mot_dinov3.training.recipes.gan.data import read_pictures
        from mot_dinov3.training.recipes.gan.judge import open_judge

        if not self.data:
            raise UsageError("train gan needs crops to learn from.", fix="Add --data DIR.")
        pictures = read_pictures(Path(self.data))
        return GanData(pictures, open_judge(self.judge, pictures))

    def build(self, data: GanData) -> nn.Module:
        """Generator, critic and perhaps encoder with random weights."""
        import torch

        from mot_dinov3.nets.gan.network import GanNetwork
        from mot_dinov3.training.recipes.gan.objectives import OBJECTIVES

        of = OBJECTIVES[self.objective]
        widths = (self.ngf, self.ndf)
        network = GanNetwork(self.noise, widths, spectral=of.spectral, encodes=of.encodes)
        return network.to(memory_format=torch.channels_last)

    def optimizers(self, model: nn.Module) -> Mapping[str, Optimizer]:
        """The critic's turns, then that of all others."""
        from torch.optim import Adam

        from mot_dinov3.training.recipes.gan.objectives import OBJECTIVES

        own = {id(p) for p in model.critic.parameters()}
        others = [p for p in model.parameters() if id(p) not in own]
        critic = Adam(model.critic.parameters(), self.rate, BETAS)
        turns = range(OBJECTIVES[self.objective].critic_steps)
        return {**{str(n): critic for n in turns}, GENERATOR: Adam(others, self.rate, BETAS)}

    def batches(self, data: GanData, rank: int) -> BatchSource[Tensor]:
        """Random crops, half of them mirrored: RGB bytes."""
        from mot_dinov3.training.recipes.gan.objectives import OBJECTIVES
        from mot_dinov3.training.recipes.gan.sampling import as_batch

        learned = data.pictures.learned
        count = self.batch * OBJECTIVES[self.objective].critic_steps

        def draw(number: int) -> Tensor:
            rng = np.random.default_rng([self.seed, number])
            chosen = learned[rng.integers(len(learned), size=count)]
            mirrored = rng.random(count) < 0.5
            chosen[mirrored] = chosen[mirrored, :, ::-1]
            return as_batch(chosen)

        return NumberedBatches(draw)

    def loss(self, model: nn.Module, batch: Tensor, turn: str) -> Mapping[str, Tensor]:
        """What the critic, or the generator and the encoder, are asked for."""
        from mot_dinov3.training.recipes.gan.sampling import as_input
        from mot_dinov3.training.recipes.gan.turns import lose_as_critic, lose_as_generator

        first = 0 if turn == GENERATOR else int(turn) * self.batch
        real = as_input(batch[first : first + self.batch])
        turn_loss = lose_as_generator if turn == GENERATOR else lose_as_critic
        return turn_loss(self, model, real)

    def evaluate(self, model: nn.Module, data: GanData) -> Assessment:
        """Feature distance, diversity, and how often the critic is right, on held-out crops."""
        from mot_dinov3.training.recipes.gan.figures import measure

        return measure(self, model, data)

    def describe(self, data: GanData) -> CheckpointConfig:
        """The sizes of the generator and of its pictures."""
        from mot_dinov3.nets.gan.network import HEIGHT_PX, WIDTH_PX

        sizes = {"noise": self.noise, "width": self.ngf}
        pixels = {"height_px": HEIGHT_PX, "width_px": WIDTH_PX}
        return CheckpointConfig(self.kind, sizes={**sizes, **pixels})

    def weights_of(self, model: nn.Module) -> Mapping[str, Tensor]:
        """The generator alone: nothing else draws pictures."""
        weights: Mapping[str, Tensor] = model.generator.state_dict()
        return weights
