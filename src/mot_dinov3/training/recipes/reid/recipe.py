"""`train reid`: a network that tells identities apart; a file without torch at its top."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar, cast

from mot_dinov3.config.fields import flag, repeatable_flag, require
from mot_dinov3.errors import UsageError
from mot_dinov3.io.checkpoint import CheckpointConfig, load_checkpoint
from mot_dinov3.nets.reid.factory import BACKBONES
from mot_dinov3.training.recipes.base import (
    ALL,
    Assessment,
    BatchSource,
    Continuation,
    Recipe,
    new_default,
)
from mot_dinov3.training.recipes.reid.ways import NONE, check_ways, find_way

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer

AUTO = "auto"
_HERE = "mot_dinov3.training.recipes.reid"


@dataclass(frozen=True, slots=True)
class ReidRecipe(Recipe[Any, Any]):
    """How a network learns to tell identities apart."""

    data: str = repeatable_flag(
        "--data",
        "folder of known identities: Market-1501's names, or a folder for each identity",
        metavar="DIR",
    )
    val: str = flag(
        "",
        "--val",
        "folder with query and bounding_box_test that the run is measured on; without it some "
        "identities of --data are held out",
        metavar="DIR",
    )
    holdout: float = flag(
        0.1, "--holdout", "share of the identities held out without --val", metavar="SHARE"
    )
    backbone: str = flag(
        "osnet_x0_25",
        "--backbone",
        f"what sees the crops: {', '.join(BACKBONES)}, or dinov3:ID_OR_DIR, with :lora to teach it",
        metavar="NAME",
    )
    size: str = flag(
        "256x128", "--size", "height and width in pixels of what the network sees", metavar="HxW"
    )
    init: str = flag(
        NONE,
        "--init",
        "weights to begin with: a run's folder, or a file .onnx, .pth, .pt or .safetensors",
        metavar="DIR|FILE",
    )
    steps: int = new_default(Recipe, "steps", 0)
    epochs: float = flag(
        60, "--epochs", "times that every picture is seen, where --steps is 0", metavar="TIMES"
    )
    bs: int = flag(64, "--bs", "pictures in a batch", metavar="COUNT")
    instance: int = flag(4, "--instance", "pictures of an identity in a batch", metavar="COUNT")
    margin: float = flag(
        0.3,
        "--margin",
        "least difference of the cosines of a match and a stranger",
        metavar="COSINE",
    )
    center_weight: float = flag(
        5e-4, "--center-weight", "weight of the distances to class centres", metavar="WEIGHT"
    )
    epsilon: float = flag(
        -1.0, "--epsilon", "first coefficient of PolyLoss, 0 = cross-entropy", metavar="NUMBER"
    )
    classifier: str = flag(
        AUTO,
        "--classifier",
        "what tells known identities apart while it learns: memory (their centroids, which begin "
        "as what --init says of them) or linear (drawn at random); auto is memory with --init",
        choices=(AUTO, "memory", "linear"),
    )
    renorm: bool = flag(False, "--renorm", "use batch renormalisation instead of batch norm")
    erase: float = flag(0.3, "--erase", "share of crops that are partly covered", metavar="SHARE")
    colour: float = flag(0.5, "--colour", "how far colours move or fade, 0 to 1", metavar="SHARE")
    fresh: float = flag(
        2.0, "--fresh", "rate of what begins from nothing, as a multiple of --rate", metavar="TIMES"
    )
    synthetic: str = flag(
        "", "--synthetic", "folder of made-up pictures that look like no identity", metavar="DIR"
    )
    keep: float = flag(
        5.0, "--keep", "weight of the cosines that a network had with --init", metavar="WEIGHT"
    )
    blend: float = flag(
        1.0,
        "--blend",
        "share of what was learned in the network that is stored; the rest is what it began with",
        metavar="SHARE",
    )
    continual: bool = flag(
        False, "--continual", "learn from --unlabeled, whose clusters stand in for identities"
    )
    unlabeled: str = flag(
        "",
        "--unlabeled",
        "folder of crops whose identities are not known; a video or a frame log is cut into one",
        metavar="DIR|FILE",
    )
    source: str = flag(
        "", "--source", "the video that a frame log given with --unlabeled is of", metavar="FILE"
    )
    tracklets: bool = flag(
        False,
        "--tracklets",
        "the identities in the names of --unlabeled are tracklets, as `crops` writes them: one "
        "shows one object, and two that a camera saw at once are two",
    )
    eps: float = flag(
        0.6, "--eps", "largest distance of neighbours in a cluster, 0 to 1", metavar="DISTANCE"
    )
    round: int = flag(110, "--round", "steps until clusters are found anew", metavar="STEPS")
    video: str = flag(
        "",
        "--video",
        "a MOTChallenge sequence with pictures and gt, or a folder of them: clips of its tracks "
        "are learned, with what each of their pictures counts",
        metavar="DIR",
    )
    shared: str = flag(
        "",
        "--shared",
        "run of train detector: a head on the maps of its backbone learns --video, for --embedder "
        "shared",
        metavar="DIR",
    )
    clip_len: int = flag(10, "--clip-len", "pictures in a clip of a track", metavar="COUNT")
    crop_factor: float = flag(
        1.24,
        "--crop-factor",
        "how much larger than its box a picture of --video is; 1.24 as tracking crops",
        metavar="TIMES",
    )
    shuffle_labels: bool = False
    """The control of a test: clusters of the same sizes that mean nothing."""
    rate: float = new_default(Recipe, "rate", 1e-3)
    decay: float = new_default(Recipe, "decay", 5e-4)
    ema: int = new_default(Recipe, "ema", 100)
    fewest_steps: ClassVar[int] = 0

    def __post_init__(self) -> None:
        super(ReidRecipe, self).__post_init__()
        self.require_least(4, "bs")
        require(
            2 <= self.instance <= self.bs // 2, "--instance", "2 to half of --bs", self.instance
        )
        for name in ("holdout", "erase", "blend", "colour"):
            require(0 <= getattr(self, name) <= 1, f"--{name}", "0 to 1", getattr(self, name))
        for name in ("epochs", "fresh"):
            require(getattr(self, name) > 0, f"--{name}", "above 0", getattr(self, name))
        self.require_least(1, "round")
        require(0 < self.eps < 1, "--eps", "between 0 and 1", self.eps)
        sides = re.fullmatch(r"(\d{2,4})x(\d{2,4})", self.size.lower())
        fits = sides is not None and all(32 <= int(side) <= 1024 for side in sides.groups())
        require(fits, "--size", "like 256x128, of sides from 32 to 1024", self.size)
        self.require_least(2, "clip_len")
        fits = 0.5 <= self.crop_factor <= 4
        require(fits, "--crop-factor", "between 0.5 and 4", self.crop_factor)
        check_ways(self)

    @classmethod
    def begin_from(cls, chosen: Mapping[str, Any], folder: str) -> Continuation | None:
        """With `--continual`, begin with the checkpoint of a run, its backbone and its size.

        Raises:
            UsageError: `--init` names other weights.
            ModelError: there is no checkpoint.
        """
        if not chosen.get("continual"):
            return None
        if chosen.get("init"):
            raise UsageError(
                "--continual --resume DIR begins with the checkpoint in DIR, and --init names "
                "other weights.",
                fix="Leave one of them out.",
            )
        found = load_checkpoint(Path(folder).expanduser(), "reid").config.recipe
        same = {name: found[name] for name in ("backbone", "size") if name in found}
        out = f"{folder.rstrip('/')}-continual"
        return Continuation(out, {**same, **chosen, "init": folder})

    @property
    def kind(self) -> str:
        """The name of these checkpoints."""
        return "reid"

    @property
    def uses_memory(self) -> bool:
        """Whether centroids are the classifier."""
        begun = self.classifier == AUTO and self.init != NONE
        return self.continual or self.classifier == "memory" or begun

    @property
    def hw(self) -> tuple[int, int]:
        """Height and width of the pictures in pixels."""
        height, _, width = self.size.lower().partition("x")
        return int(height), int(width)

    @property
    def _way(self) -> ModuleType:
        return import_module(f"{_HERE}.{find_way(self)}")

    def open_data(self) -> Any:  # noqa: ANN401 - each way has its own
        """The pictures; see the module of the way to learn."""
        return self._way.open_data(self)

    def count_steps(self, data: Any) -> int:  # noqa: ANN401 - as above
        """As many as `--steps`, or as `--epochs` are."""
        pictures = len(data.training.crops)
        return self.steps or max(1, round(self.epochs * pictures / self.bs))

    def build(self, data: Any) -> nn.Module:  # noqa: ANN401 - as above
        """The network, its classifier, and itself as it began."""
        model: nn.Module = self._way.build(self, data)
        return model

    def batches(self, data: Any, rank: int) -> BatchSource[tuple[Tensor, Tensor]]:  # noqa: ANN401 - as above
        """Pictures and the numbers of their identities."""
        source: BatchSource[tuple[Tensor, Tensor]] = self._way.supply_batches(self, data, rank)
        return source

    def loss(
        self, model: nn.Module, batch: tuple[Tensor, Tensor], turn: str
    ) -> Mapping[str, Tensor]:
        """Classes, triplets, centres, and what is to be kept."""
        terms: Mapping[str, Tensor] = model.measure_loss(*batch)
        return terms

    def optimizers(self, model: nn.Module) -> Mapping[str, Optimizer]:
        """One, with higher rates for what begins from nothing."""
        from torch.optim import AdamW

        from mot_dinov3.training.recipes.reid.learning import group_by_rate

        return {ALL: AdamW(list(group_by_rate(self, model)), lr=self.rate)}

    def evaluate(self, model: nn.Module, data: Any) -> Assessment | None:  # noqa: ANN401 - as above
        """How early held-out identities are found again, and the gate for their cosines."""
        assessment: Assessment | None = self._way.assess(self, model, data)
        return assessment

    def describe(self, data: Any) -> CheckpointConfig:  # noqa: ANN401 - as above
        """Sizes and the normalisation of crops."""
        from mot_dinov3.perception.features.crops import IMAGENET_MEAN, IMAGENET_STD

        height, width = self.hw
        sizes = {"height_px": height, "width_px": width}
        return CheckpointConfig(self.kind, sizes, mean=IMAGENET_MEAN, std=IMAGENET_STD)

    def weights_of(self, model: nn.Module) -> Mapping[str, Tensor]:
        """The weights of the network to use, and of what stands beside it."""
        if self.shared:
            return cast("Mapping[str, Tensor]", model.list_kept())
        from mot_dinov3.perception.features.reid_networks import list_frozen
        from mot_dinov3.training.recipes.reid.learning import blend

        network = blend(model, self.blend)
        left_out = list_frozen(network)
        every = network.state_dict().items()
        own = {name: value for name, value in every if name not in left_out}
        return {**own, **model.list_kept()}
