"""`train motr`: an end-to-end tracker; a file without torch at its top."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mot_dinov3.config.fields import flag, repeatable_flag, require
from mot_dinov3.errors import UsageError
from mot_dinov3.io.checkpoint import CheckpointConfig
from mot_dinov3.training.recipes.base import Assessment, BatchSource, NumberedBatches, new_default
from mot_dinov3.training.recipes.detector.recipe import NOWHERE, DetectorRecipe
from mot_dinov3.wording import counted

if TYPE_CHECKING:
    from torch import Tensor, nn

    from mot_dinov3.training.recipes.motr.sets import MotrData

logger = logging.getLogger("mot_dinov3")

UPDATERS = ("samba", "memotr", "none")


@dataclass(frozen=True, slots=True)
class MotrRecipe(DetectorRecipe):
    """How a detector learns to follow what it finds, from clips of pictures."""

    data: str = repeatable_flag(
        "--data",
        "mot:DIR, a MOTChallenge sequence with img1 and gt/gt.txt or a folder of them; or the "
        "data.yaml of still pictures with boxes, each of which is a clip that stands still",
        metavar="DATA",
    )
    val: str = repeatable_flag(
        "--val",
        "mot:DIR that the run is measured on; without it every sixth sequence of a folder",
        metavar="DATA",
    )
    updater: str = flag(
        "samba", "--updater", "what a track remembers from frame to frame", choices=UPDATERS
    )
    clip_frames: int = flag(5, "--clip", "pictures of a clip", metavar="FRAMES")
    no_grad_first: int = flag(
        0,
        "--no-grad-first",
        "pictures at the start of a clip that only bring tracks about",
        metavar="FRAMES",
    )
    interval: int = flag(
        1, "--interval", "most frames from one picture of a clip to the next", metavar="FRAMES"
    )
    gradient_checkpointing: bool = flag(
        False, "--gradient-checkpointing", "compute layers twice, and keep less in memory"
    )
    init: str = flag(
        "",
        "--init",
        "run of train detector with the same sizes, or of train motr, to begin with",
        metavar="RUN",
    )
    clip: float = flag(0.1, "--clip-gradient", "longest gradient, 0 = any", metavar="LENGTH")
    head: str = "deformable"
    init_head: str = ""
    cache_features: str = NOWHERE
    pilot: bool = False
    epochs: float = 1.0
    steps: int = new_default(DetectorRecipe, "steps", 20000)
    accumulate: int = new_default(DetectorRecipe, "accumulate", 1)
    bs: int = new_default(DetectorRecipe, "bs", 1)
    rate: float = new_default(DetectorRecipe, "rate", 2e-4)

    def __post_init__(self) -> None:
        super(MotrRecipe, self).__post_init__()
        self.require_least(1, "steps", "interval")
        require(self.clip_frames >= 1, "--clip", "at least 1", self.clip_frames)
        fits = 0 <= self.no_grad_first < self.clip_frames
        require(fits, "--no-grad-first", "from 0, and below --clip", self.no_grad_first)

    @property
    def kind(self) -> str:
        """The name of these checkpoints."""
        return "motr"

    def open_data(self) -> MotrData:  # type: ignore[override]
        """Sequences and still pictures.

        Raises:
            UsageError: there is no `--data`.
            InputError: it cannot be used.
        """
        from mot_dinov3.training.recipes.motr.sets import MotrData

        if not self.data:
            raise UsageError(
                "train motr needs clips to learn from.",
                fix="Add --data mot:DIR, a folder of MOTChallenge sequences with their pictures.",
            )
        return MotrData(self)

    def build(self, data: MotrData) -> nn.Module:  # type: ignore[override]
        """The network, begun with another run where `--init` names one."""
        from mot_dinov3.perception.motr_networks import build_network
        from mot_dinov3.training.recipes.motr.starting import start_network

        frozen = not self.train_backbone
        network = build_network(self.describe(data), self.updater, data.create_backbone(), frozen)
        network.saves_memory = self.gradient_checkpointing
        if self.init:
            taken = counted(start_network(network, self.init), "tensor", "tensors")
            logger.info("%s of '%s' taken over", taken, self.init)
        data.attach(network)
        return network

    def batches(self, data: MotrData, rank: int) -> BatchSource[dict[str, Any]]:  # type: ignore[override]
        """Clips that are decided by the number of their batch."""
        return NumberedBatches(data.draw_batch)

    def loss(self, model: nn.Module, batch: dict[str, Any], turn: str) -> Mapping[str, Tensor]:
        """Classes, corners and overlap of what is found and followed, after every layer."""
        from mot_dinov3.training.recipes.motr.rollout import roll_out

        return roll_out(model, batch["moments"], self.no_grad_first)

    def count_steps(self, data: MotrData) -> int:  # type: ignore[override]
        """As many as `--steps`."""
        return self.steps

    def count_evaluation_steps(self, data: MotrData) -> int:  # type: ignore[override]
        """As many as `--evaluate-every`."""
        return self.evaluate_every

    def evaluate(self, model: nn.Module, data: MotrData) -> Assessment | None:  # type: ignore[override]
        """HOTA of the held-out sequences, tracked as `--tracker samba-motr` does.

        Clips of one picture teach nothing of identities: their best network is the one that detects
        best.
        """
        from mot_dinov3.training.recipes.motr.figures import assess

        if not data.measures:
            return None
        best = "hota" if self.clip_frames > 1 else "deta"
        return assess(model, data.sources.held_out, self.describe(data), best=best)

    def describe(self, data: MotrData) -> CheckpointConfig:  # type: ignore[override]
        """Sizes of the network and of its pictures, and the classes."""
        return super(MotrRecipe, self).describe(data)  # type: ignore[arg-type]
