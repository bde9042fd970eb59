"""`train sot`: a network that finds one object again; a file without torch at its top."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mot_dinov3.config.fields import flag, repeatable_flag, require
from mot_dinov3.errors import UsageError
from mot_dinov3.io.checkpoint import CheckpointConfig
from mot_dinov3.training.recipes.base import (
    ALL,
    Assessment,
    BatchSource,
    NumberedBatches,
    Recipe,
    new_default,
)

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer

    from mot_dinov3.training.recipes.sot.examples import Batch, Sizes
    from mot_dinov3.training.recipes.sot.sources import Sources

HELD_OUT = 1
"""Second number of the seeds of what is measured on; batches have 0 there."""


@dataclass(frozen=True, slots=True)
class SotData:
    """What is learned from, and what measures it.

    Attributes:
        learned: draws examples.
        held_out: examples.
    """

    learned: Sources
    held_out: Batch


@dataclass(frozen=True, slots=True)
class SotRecipe(Recipe[SotData, "dict[str, Tensor]"]):
    """How a network learns to find an object again that templates show."""

    data: str = repeatable_flag(
        "--data",
        "sequences of single objects: otb:DIR, got10k:DIR, mot:DIR, RUN.jsonl,VIDEO; pictures "
        "with labels, yolo:DIR; or drawn: world:NAME, or scenes of things of one shape",
        metavar="DATA",
    )
    val: str = repeatable_flag(
        "--val",
        "like --data, but the run is measured on it; without it the end of each sequence is",
        metavar="DATA",
    )
    holdout: float = flag(
        0.1, "--holdout", "share of each sequence held out without --val", metavar="SHARE"
    )
    backbone: str = flag(
        "random:small",
        "--backbone",
        "what sees the pictures: random:tiny, random:small or random:base, a hub id or DIR of a "
        "DINOv3 ConvNeXt, reid:FILE of an OSNet or of a run of train reid, or sot:RUN",
        metavar="NAME",
    )
    freeze_backbone: bool = flag(False, "--freeze-backbone", "do not teach the backbone")
    backbone_rate: float = flag(
        1.0, "--backbone-rate", "rate of the backbone, as a multiple of --rate", metavar="TIMES"
    )
    size: int = flag(
        128, "--size", "side of the search picture; a template has half of it", metavar="PIXELS"
    )
    templates: int = flag(2, "--templates", "pictures of the object that are kept", metavar="COUNT")
    dim: int = flag(96, "--dim", "length of a token", metavar="COUNT")
    layers: int = flag(2, "--layers", "layers of joint attention", metavar="COUNT")
    no_fusion: bool = flag(
        False, "--no-fusion", "the search never sees the template: the control of an experiment"
    )
    gap: int = flag(50, "--gap", "largest distance of template and search", metavar="FRAMES")
    absent: float = flag(
        0.1,
        "--absent",
        "share of examples that look for an object that is not there",
        metavar="SHARE",
    )
    bs: int = flag(32, "--bs", "examples in a batch", metavar="COUNT")
    measured: int = flag(256, "--measured", "held-out examples", metavar="COUNT")
    heads: int = 4
    steps: int = new_default(Recipe, "steps", 5000)
    rate: float = new_default(Recipe, "rate", 1e-3)
    clip: float = new_default(Recipe, "clip", 1.0)
    ema: int = new_default(Recipe, "ema", 200)
    evaluate_every: int = new_default(Recipe, "evaluate_every", 500)

    def __post_init__(self) -> None:
        super(SotRecipe, self).__post_init__()
        fits = 64 <= self.size <= 512 and self.size % 32 == 0
        require(fits, "--size", "a multiple of 32 from 64 to 512", self.size)
        require(
            self.dim % (4 * self.heads) == 0 and self.dim > 0,
            "--dim",
            f"a multiple of {4 * self.heads}",
            self.dim,
        )
        self.require_least(1, "templates", "layers")
        self.require_least(0, "gap")
        self.require_least(2, "bs", "measured")
        for name in ("holdout", "absent"):
            value = getattr(self, name)
            require(0 <= value < 1, f"--{name}", "0 or more, and below 1", value)

    @property
    def kind(self) -> str:
        """The name of these checkpoints."""
        return "sot"

    @property
    def sizes(self) -> Sizes:
        """Of the pictures."""
        from mot_dinov3.training.recipes.sot.examples import Sizes

        return Sizes(self.size, self.size // 2, self.templates)

    def open_data(self) -> SotData:
        """Sequences and drawn scenes, and the examples that are measured on."""
        import numpy as np

        from mot_dinov3.training.recipes.sot.examples import stack_examples
        from mot_dinov3.training.recipes.sot.pairs import PairRules
        from mot_dinov3.training.recipes.sot.sources import open_sources

        if not self.data:
            raise UsageError(
                "train sot needs sequences to learn from.",
                fix="Add --data, such as otb:DIR, mot:DIR, world:street or scenes.",
            )
        rules = PairRules(self.gap, self.absent)
        learned, held_out = open_sources(split(self.data), self.sizes, rules, self.holdout)
        if self.val:
            held_out, _ = open_sources(split(self.val), self.sizes, rules, 0.0)
        seeds = ([self.seed, HELD_OUT, number] for number in range(self.measured))
        chosen = [held_out.draw(np.random.default_rng(seed)) for seed in seeds]
        return SotData(learned, stack_examples(chosen))

    def build(self, data: SotData) -> nn.Module:
        """The network around its backbone."""
        from mot_dinov3.perception.searchers.sot_networks import build_network
        from mot_dinov3.training.map_backbones import start_backbone

        config = self.describe(data)
        return build_network(config, start_backbone(self.backbone), frozen=self.freeze_backbone)

    def optimizers(self, model: nn.Module) -> Mapping[str, Optimizer]:
        """One, with the backbone's own rate."""
        from torch.optim import AdamW

        from mot_dinov3.training.schedule import group_by_part

        groups = group_by_part(model, self.rate, self.backbone_rate, self.decay)
        kinds = {"params": [model.kinds], "weight_decay": 0.0, "lr": self.rate}
        return {ALL: AdamW([*groups, kinds], lr=self.rate)}

    def batches(self, data: SotData, rank: int) -> BatchSource[dict[str, Tensor]]:
        """Examples that are decided by the number of their batch."""
        import numpy as np

        from mot_dinov3.training.recipes.sot.examples import stack_examples

        def draw(number: int) -> dict[str, Tensor]:
            rng = np.random.default_rng([self.seed, 0, number])
            examples = [data.learned.draw(rng) for _ in range(self.bs)]
            return stack_examples(examples)._asdict()

        return NumberedBatches(draw)

    def loss(self, model: nn.Module, batch: dict[str, Tensor], turn: str) -> Mapping[str, Tensor]:
        """Centres, overlap and corners."""
        from mot_dinov3.training.recipes.sot.examples import Batch
        from mot_dinov3.training.recipes.sot.figures import run
        from mot_dinov3.training.recipes.sot.losses import measure_loss

        return measure_loss(run(model, Batch(**batch)), batch["boxes"])

    def evaluate(self, model: nn.Module, data: SotData) -> Assessment:
        """Success on held-out examples, and its controls."""
        from mot_dinov3.training.recipes.sot.figures import assess

        return assess(model, data.held_out)

    def describe(self, data: SotData) -> CheckpointConfig:
        """Sizes of the network and of its pictures."""
        from mot_dinov3.perception.features.crops import IMAGENET_MEAN, IMAGENET_STD

        sizes = {
            "search_px": self.size,
            "template_px": self.size // 2,
            "templates": self.templates,
            "dim": self.dim,
            "layers": self.layers,
            "heads": self.heads,
            "fused": int(not self.no_fusion),
        }
        return CheckpointConfig(self.kind, sizes, mean=IMAGENET_MEAN, std=IMAGENET_STD)

    def weights_of(self, model: nn.Module) -> Mapping[str, Tensor]:
        """All weights but those of a frozen model that users have anyway."""
        from mot_dinov3.perception.map_backbones import list_left_out

        left_out = list_left_out(model)
        return {n: value for n, value in model.state_dict().items() if n not in left_out}


def split(texts: str) -> list[str]:
    """The values of a flag that takes several; a frame log keeps the video behind its comma."""
    parts: list[str] = []
    for text in texts.split(","):
        if parts and parts[-1].endswith(".jsonl") and ":" not in text:
            parts[-1] += f",{text}"
        else:
            parts.append(text)
    return [part.strip() for part in parts if part.strip()]
