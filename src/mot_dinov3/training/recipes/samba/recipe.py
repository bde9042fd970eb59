"""`train samba`: how tracks move together; a file without torch at its top."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mot_dinov3.config.fields import flag, repeatable_flag, require
from mot_dinov3.errors import InputError, UsageError
from mot_dinov3.io.checkpoint import CheckpointConfig
from mot_dinov3.training.recipes.base import (
    Assessment,
    BatchSource,
    NumberedBatches,
    Recipe,
    new_default,
)

if TYPE_CHECKING:
    from torch import Tensor, nn

    from mot_dinov3.data.trajectories.base import Trajectories
    from mot_dinov3.data.trajectories.noise import DetectorNoise

NOISES = ("detector", "none")
FEWEST_FRAMES = 8


@dataclass(frozen=True, slots=True)
class SambaData:
    """What is learned from, and what measures it.

    Attributes:
        learned: sequences.
        held_out: sequences.
        noise: of the detector, None to see boxes as they are.
    """

    learned: list[Trajectories]
    held_out: list[Trajectories]
    noise: DetectorNoise | None


@dataclass(frozen=True, slots=True)
class SambaRecipe(Recipe[SambaData, "dict[str, Tensor]"]):
    """How a motion model learns from trajectories; no picture is needed."""

    data: str = repeatable_flag(
        "--data",
        "mot:DIR, a MOTChallenge sequence or a folder of them: seqinfo.ini, gt/gt.txt, and det/ "
        "for the noise of a detector",
        metavar="DATA",
    )
    val: str = repeatable_flag(
        "--val",
        "like --data, but the run is measured on it; without it every sixth sequence of a folder "
        "is held out",
        metavar="DATA",
    )
    noise: str = flag(
        "detector",
        "--noise",
        "errors of the boxes that are learned from: those of the detections in --data, or none",
        choices=NOISES,
    )
    frames: str = flag(
        "10..60", "--frames", "length of the clips that are learned from", metavar="LEAST..MOST"
    )
    tracks: int = flag(12, "--tracks", "most tracks in a clip", metavar="COUNT")
    no_sync: bool = flag(
        False, "--no-sync", "no track hears of others: the control of an experiment"
    )
    dim: int = flag(48, "--dim", "length of a track's description", metavar="COUNT")
    states: int = flag(8, "--states", "memories of each number of it", metavar="COUNT")
    bs: int = flag(16, "--bs", "clips in a batch", metavar="COUNT")
    heads: int = 2
    steps: int = new_default(Recipe, "steps", 1500)
    rate: float = new_default(Recipe, "rate", 3e-3)
    clip: float = new_default(Recipe, "clip", 1.0)
    ema: int = new_default(Recipe, "ema", 50)
    evaluate_every: int = new_default(Recipe, "evaluate_every", 250)

    def __post_init__(self) -> None:
        super(SambaRecipe, self).__post_init__()
        self.require_least(1, "tracks", "states", "bs")
        fits = self.dim >= 2 and self.dim % self.heads == 0
        require(fits, "--dim", f"a multiple of {self.heads}", self.dim)
        least, most = self.lengths
        fits = FEWEST_FRAMES <= least <= most
        require(fits, "--frames", f"LEAST..MOST, both from {FEWEST_FRAMES} on", self.frames)

    @property
    def lengths(self) -> tuple[int, int]:
        """Frames of the shortest and of the longest clip; zeros where the flag makes no sense."""
        found = re.fullmatch(r"(\d+)\.\.(\d+)", self.frames) or re.fullmatch(
            r"(\d+)()", self.frames
        )
        if not found:
            return 0, 0
        return int(found[1]), int(found[2] or found[1])

    @property
    def kind(self) -> str:
        """The name of these checkpoints."""
        return "samba"

    def open_data(self) -> SambaData:
        """Sequences, and what detections tell of the detector."""
        from mot_dinov3.data.trajectories.noise import DetectorNoise
        from mot_dinov3.data.trajectories.reader import hold_out
        from mot_dinov3.training.recipes.samba.sets import read_all, require_long

        if not self.data:
            raise UsageError(
                "train samba needs trajectories to learn from.",
                fix="Add --data mot:DIR, a folder of MOTChallenge sequences.",
            )
        sets = read_all(self.data)
        learned, held_out = hold_out(sets)
        if self.val:
            learned = [one for group in sets for one in group]
            held_out = [one for group in read_all(self.val) for one in group]
        noise = DetectorNoise.learn(learned) if self.noise == "detector" else None
        if self.noise == "detector" and noise is None:
            raise InputError(
                "No sequence of --data has detections, so there is no noise to learn.",
                fix="Add --noise none, or put a det/det.txt into one of them.",
            )
        return SambaData(require_long(learned, self.lengths[1]), held_out, noise)

    def build(self, data: SambaData) -> nn.Module:
        """A network that answers zero."""
        from mot_dinov3.nets.samba.cell import SambaCell, SambaShape
        from mot_dinov3.tracking.motion.samba_network import TOKENS

        shape = SambaShape(TOKENS, self.dim, self.states, self.heads, synced=not self.no_sync)
        return SambaCell(shape)

    def batches(self, data: SambaData, rank: int) -> BatchSource[dict[str, Tensor]]:
        """Clips that are decided by the number of their batch."""
        import numpy as np
        import torch

        from mot_dinov3.training.recipes.samba.clips import ClipRules, draw_clips

        rules = ClipRules(*self.lengths, self.tracks)

        def draw(number: int) -> dict[str, Tensor]:
            rng = np.random.default_rng([self.seed, number])
            found = draw_clips(data.learned, data.noise, rules, self.bs, rng)
            return {name: torch.from_numpy(value) for name, value in found.items()}

        return NumberedBatches(draw)

    def loss(self, model: nn.Module, batch: dict[str, Tensor], turn: str) -> Mapping[str, Tensor]:
        """Misses of hidden tracks and a step ahead, and how far they were expected."""
        from mot_dinov3.config import MotionConfig
        from mot_dinov3.training.recipes.samba.losses import measure_loss
        from mot_dinov3.training.recipes.samba.rollout import roll_out

        return measure_loss(roll_out(model, batch, MotionConfig()), batch)

    def evaluate(self, model: nn.Module, data: SambaData) -> Assessment | None:
        """Errors as multiples of those of the Kalman filter, as the tracker would make them."""
        from mot_dinov3.training.recipes.samba.figures import assess

        return assess(model, data.held_out) if data.held_out else None

    def describe(self, data: SambaData) -> CheckpointConfig:
        """Sizes of the network."""
        sizes = {"dim": self.dim, "states": self.states, "heads": self.heads}
        return CheckpointConfig(self.kind, {**sizes, "synced": int(not self.no_sync)})
