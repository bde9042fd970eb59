"""`train detector`: a detection transformer on a backbone; a file without torch at its top."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mot_dinov3.config.fields import flag, require
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
from mot_dinov3.wording import counted

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer

    from mot_dinov3.training.recipes.detector.sets import DetectorData

logger = logging.getLogger("mot_dinov3")

HEADS = ("deformable", "detr", "rtdetr")
NOWHERE, RAM, DISK = CACHES = ("off", "ram", "disk")
DIMS = 64, 128, 256, 512
"""Tokens are divided among 8 heads, and normalised in 32 groups of at least two numbers."""
MOST_LAYERS = 4


@dataclass(frozen=True, slots=True)
class DetectorRecipe(Recipe["DetectorData", "dict[str, Any]"]):
    """How a head learns to find the objects of a data set in the maps of a backbone."""

    data: str = flag(
        "",
        "--data",
        "data.yaml of a data set as YOLO lays it out, with names, train and val",
        metavar="FILE",
    )
    backbone: str = flag(
        "facebook/dinov3-vits16-pretrain-lvd1689m",
        "--backbone",
        "what sees the pictures: hub id or DIR of a DINOv3 or DINOv2, reid:FILE of an OSNet or of "
        "a run of train reid, sot:RUN, or with random weights resnet18, resnet50, random:tiny, "
        "random:small, random:base",
        metavar="NAME",
    )
    layers: int = flag(
        1, "--layers", "layers of a vision transformer that are read, 1 to 4", metavar="COUNT"
    )
    train_backbone: bool = flag(False, "--train-backbone", "teach the backbone, too")
    backbone_rate: float = flag(
        0.1,
        "--backbone-rate",
        "rate of a backbone that is taught, as a multiple of --rate",
        metavar="TIMES",
    )
    head: str = flag("deformable", "--head", "what finds objects in its maps", choices=HEADS)
    init_head: str = flag(
        "",
        "--init-head",
        "hub id or DIR of a detector of that kind, whose head is begun with",
        metavar="NAME",
    )
    queries: int = flag(300, "--queries", "most objects in a picture", metavar="COUNT")
    dim: int = flag(256, "--dim", "length of a token: 64, 128, 256 or 512", metavar="COUNT")
    encoder_layers: int = flag(
        6, "--encoder-layers", "layers that mix a map; 0 = none", metavar="COUNT"
    )
    decoder_layers: int = flag(
        6, "--decoder-layers", "layers that look for objects", metavar="COUNT"
    )
    imgsz: int = flag(
        960, "--imgsz", "longer side of the picture that the detector sees", metavar="PIXELS"
    )
    epochs: float = flag(
        10, "--epochs", "times that every picture is seen, where --steps is 0", metavar="TIMES"
    )
    bs: int = flag(2, "--bs", "pictures in a batch", metavar="COUNT")
    plain: bool = flag(False, "--plain", "show pictures as they are, without augmentation")
    cache_features: str = flag(
        NOWHERE,
        "--cache-features",
        "compute the maps of a frozen backbone once a picture and keep them; then pictures are "
        "mirrored, and not changed otherwise",
        choices=CACHES,
    )
    pilot: bool = flag(
        False,
        "--pilot",
        "one epoch of ten pictures, measured on ten: what a full run would take",
    )
    evaluate_every: int = flag(
        0, "--evaluate-every", "steps between evaluations, 0 = after every epoch", metavar="STEPS"
    )
    steps: int = new_default(Recipe, "steps", 0)
    accumulate: int = new_default(Recipe, "accumulate", 4)
    rate: float = new_default(Recipe, "rate", 1e-4)
    decay: float = new_default(Recipe, "decay", 1e-4)
    clip: float = new_default(Recipe, "clip", 0.1)
    fewest_steps = 0

    def __post_init__(self) -> None:
        super(DetectorRecipe, self).__post_init__()
        require(32 <= self.imgsz <= 8192, "--imgsz", "between 32 and 8192", self.imgsz)
        require(self.dim in DIMS, "--dim", "64, 128, 256 or 512", self.dim)
        require(1 <= self.layers <= MOST_LAYERS, "--layers", f"1 to {MOST_LAYERS}", self.layers)
        self.require_least(1, "queries", "decoder_layers", "bs")
        self.require_least(0, "encoder_layers")
        require(self.epochs > 0, "--epochs", "above 0", self.epochs)
        if self.train_backbone and self.cache_features != NOWHERE:
            raise UsageError(
                "--cache-features keeps the maps of a backbone that --train-backbone changes.",
                fix="Leave one of them out.",
            )

    @property
    def kind(self) -> str:
        """The name of these checkpoints."""
        return "detr"

    def open_data(self) -> DetectorData:
        """Pictures and boxes of both splits, and the backbone.

        Raises:
            UsageError: there is no `--data`.
            InputError: the data set cannot be used.
            ModelError: the backbone cannot be loaded.
        """
        from mot_dinov3.training.recipes.detector.sets import open_sets

        if not self.data:
            raise UsageError(
                "train detector needs pictures with boxes.",
                fix="Add --data FILE, the data.yaml of a data set as YOLO lays it out.",
            )
        return open_sets(self)

    def build(self, data: DetectorData) -> nn.Module:
        """The head on its backbone."""
        from mot_dinov3.perception.detectors.detr_networks import build_network
        from mot_dinov3.training.recipes.detector.starting import start_head

        backbone = data.create_backbone()
        config, frozen = self.describe(data), not self.train_backbone
        network = build_network(config, self.head, backbone, frozen=frozen)
        if self.init_head:
            taken = counted(start_head(network.head, self.init_head), "tensor", "tensors")
            logger.info("%s of '%s' taken over", taken, self.init_head)
        data.attach(network)
        return network

    def optimizers(self, model: nn.Module) -> Mapping[str, Optimizer]:
        """One for all that is trained, with the backbone's own rate."""
        from torch.optim import AdamW

        from mot_dinov3.training.schedule import group_by_part

        groups = group_by_part(model, self.rate, self.backbone_rate, self.decay)
        return {ALL: AdamW(groups, lr=self.rate)}

    def batches(self, data: DetectorData, rank: int) -> BatchSource[dict[str, Any]]:
        """Every picture once an epoch, in an order that the seed and the epoch decide."""
        return NumberedBatches(lambda number: data.draw_batch(number, self.bs))

    def loss(self, model: nn.Module, batch: dict[str, Any], turn: str) -> Mapping[str, Tensor]:
        """Classes, corners and overlap of matched boxes, after every layer of the decoder."""
        from mot_dinov3.training.recipes.detector.caching import normalise

        mask, maps = batch["mask"], batch.get("maps", ())
        pixels = mask[:, None].expand(-1, 3, -1, -1) if maps else normalise(batch["pixels"])
        terms: Mapping[str, Tensor] = model.measure_loss(pixels, mask, batch["labels"], maps)
        return terms

    def count_steps(self, data: DetectorData) -> int:
        """As many as `--steps`, or as `--epochs` are; one epoch of a pilot."""
        epochs = 1 if self.pilot else self.epochs
        return self.steps or max(1, round(epochs * self._steps_of_epoch(data)))

    def count_evaluation_steps(self, data: DetectorData) -> int:
        """As many as `--evaluate-every`, or as an epoch has."""
        return self.evaluate_every or math.ceil(self._steps_of_epoch(data))

    def _steps_of_epoch(self, data: DetectorData) -> float:
        return len(data.learned) / (self.bs * self.accumulate)

    def evaluate(self, model: nn.Module, data: DetectorData) -> Assessment:
        """Average precision on the pictures of `val`."""
        from mot_dinov3.training.recipes.detector.figures import assess

        return assess(model, data)

    def describe(self, data: DetectorData) -> CheckpointConfig:
        """Sizes of the head and of the pictures, and the classes."""
        from mot_dinov3.perception.features.crops import IMAGENET_MEAN, IMAGENET_STD

        sizes = {
            "longest_px": self.imgsz,
            "queries": self.queries,
            "dim": self.dim,
            "encoder_layers": self.encoder_layers,
            "decoder_layers": self.decoder_layers,
        }
        return CheckpointConfig(
            self.kind,
            sizes,
            classes=tuple(data.learned.names.values()),
            mean=IMAGENET_MEAN,
            std=IMAGENET_STD,
        )

    def weights_of(self, model: nn.Module) -> Mapping[str, Tensor]:
        """All weights but those of a frozen model that users have anyway, and its probe."""
        from mot_dinov3.perception.detectors.detr_networks import PROBE
        from mot_dinov3.perception.map_backbones import list_left_out

        left_out = list_left_out(model)
        kept = {n: value for n, value in model.state_dict().items() if n not in left_out}
        return {**kept, PROBE: model.probe()}
