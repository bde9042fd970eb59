"""The demo detector: a YOLOv8 of an eighth of the width, taught on random streets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from mot_dinov3.data.synthetic.truth import CLASS_NAMES
from mot_dinov3.io.checkpoint import CheckpointConfig
from mot_dinov3.perception.detectors.ultralytics_setup import import_ultralytics, preserve_threads
from mot_dinov3.training.recipes.base import BatchSource, Recipe, new_default
from mot_dinov3.training.recipes.demo.scenes import LEAST_VISIBLE, StreetPool, View
from mot_dinov3.values import FloatArray, Image

_C2F, _CONV = "C2f", "Conv"
ARCHITECTURE: dict[str, Any] = {
    "nc": len(CLASS_NAMES),
    "depth_multiple": 0.33,
    "width_multiple": 0.125,
    "backbone": [
        [-1, 1, _CONV, [64, 3, 2]],
        [-1, 1, _CONV, [128, 3, 2]],
        [-1, 3, _C2F, [128, True]],
        [-1, 1, _CONV, [256, 3, 2]],
        [-1, 6, _C2F, [256, True]],
        [-1, 1, _CONV, [512, 3, 2]],
        [-1, 6, _C2F, [512, True]],
        [-1, 1, _CONV, [1024, 3, 2]],
        [-1, 3, _C2F, [1024, True]],
        [-1, 1, "SPPF", [1024, 5]],
    ],
    "head": [
        [-1, 1, "nn.Upsample", [None, 2, "nearest"]],
        [[-1, 6], 1, "Concat", [1]],
        [-1, 3, _C2F, [512]],
        [-1, 1, "nn.Upsample", [None, 2, "nearest"]],
        [[-1, 4], 1, "Concat", [1]],
        [-1, 3, _C2F, [256]],
        [-1, 1, _CONV, [256, 3, 2]],
        [[-1, 12], 1, "Concat", [1]],
        [-1, 3, _C2F, [512]],
        [-1, 1, _CONV, [512, 3, 2]],
        [[-1, 9], 1, "Concat", [1]],
        [-1, 3, _C2F, [1024]],
        [[15, 18, 21], 1, "Detect", ["nc"]],
    ],
}
STRIDE_PX = 32
_PADDING = 114
_LOSS_GAINS = {"box": 7.5, "cls": 0.5, "dfl": 1.5}


@dataclass(frozen=True, slots=True)
class DetectorRecipe(Recipe[None, "dict[str, Tensor]"]):
    """How the demo detector is trained.

    Attributes:
        batch: frames per step.
        widths_px: input widths that take turns, so that several `--imgsz` work.
        least_visible: objects that show a smaller share than this are not asked for.
    """

    rate: float = new_default(Recipe, "rate", 2e-3)
    clip: float = new_default(Recipe, "clip", 10.0)
    ema: int = new_default(Recipe, "ema", 300)
    checkpoint_every: int = new_default(Recipe, "checkpoint_every", 50)
    batch: int = 8
    widths_px: tuple[int, ...] = (512, 640, 640, 768, 960, 960)
    least_visible: float = LEAST_VISIBLE

    @property
    def kind(self) -> str:
        """The name of these checkpoints."""
        return "demo-detector"

    def open_data(self) -> None:
        """Nothing: streets are drawn."""

    def build(self, data: None) -> nn.Module:
        """The architecture with random weights."""
        return build_detector()

    def batches(self, data: None, rank: int) -> BatchSource[dict[str, Tensor]]:
        """Frames of random streets."""
        return StreetBatches(self)

    def loss(self, model: nn.Module, batch: dict[str, Tensor], turn: str) -> Mapping[str, Tensor]:
        """Ultralytics' three terms, each times the size of the batch."""
        terms, _ = model.loss(batch)
        return dict(zip(("box", "class", "edge"), terms, strict=True))

    def describe(self, data: None) -> CheckpointConfig:
        """Classes and the stride that picture sizes are multiples of."""
        return CheckpointConfig(
            self.kind, sizes={"stride_px": STRIDE_PX}, classes=tuple(CLASS_NAMES.values())
        )


class StreetBatches:
    """Endless batches of frames from random streets."""

    def __init__(self, recipe: DetectorRecipe) -> None:
        self._recipe = recipe
        self._rng = np.random.default_rng([recipe.seed, 11])
        self._pool = StreetPool(2 * recipe.seed)

    def batch(self, number: int) -> dict[str, Tensor]:
        """The next batch: pairs of frames, each pair of one street, all of one width."""
        recipe = self._recipe
        width_px = recipe.widths_px[int(self._rng.integers(len(recipe.widths_px)))]
        views = [view for _ in range(recipe.batch // 2) for view in self._pool.take_views(2)]
        return build_batch(self._rng, views, width_px, recipe.least_visible)

    def state_dict(self) -> dict[str, Any]:
        """What decides all later batches."""
        return {"rng": self._rng.bit_generator.state, "pool": self._pool.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self._rng.bit_generator.state = state["rng"]
        self._pool.load_state_dict(state["pool"])


def build_detector() -> nn.Module:
    """Build a DetectionModel of `ARCHITECTURE` with random weights, ready for its loss."""
    import_ultralytics()
    with preserve_threads():
        from ultralytics.nn.tasks import DetectionModel

        model: nn.Module = DetectionModel(
            {**ARCHITECTURE, "channels": 3}, ch=3, nc=len(CLASS_NAMES), verbose=False
        )
    model.names = dict(CLASS_NAMES)
    model.args = SimpleNamespace(**_LOSS_GAINS)
    return model.to(memory_format=torch.channels_last)


def letterbox_frame(image: Image, xyxy: FloatArray, width_px: int) -> tuple[Image, FloatArray]:
    """Resize a frame to another width and pad its height to whole strides.

    Args:
        image: (H, W, 3) uint8 BGR.
        xyxy: (N, 4) float32, pixels of `image`.
        width_px: the width wanted.

    Returns:
        The picture, and the boxes in its pixels.
    """
    scale = width_px / image.shape[1]
    height = round(image.shape[0] * scale)
    resized = cv2.resize(image, (width_px, height), interpolation=cv2.INTER_LINEAR)
    missing = -height % STRIDE_PX
    top = missing // 2
    padded = cv2.copyMakeBorder(
        resized, top, missing - top, 0, 0, cv2.BORDER_CONSTANT, value=(_PADDING,) * 3
    )
    return np.asarray(padded, np.uint8), xyxy * scale + np.array([0, top, 0, top], np.float32)


def build_batch(
    rng: np.random.Generator, views: list[View], width_px: int, least_visible: float
) -> dict[str, Tensor]:
    """Bring frames and boxes into the form of Ultralytics' detection loss.

    Args:
        rng: decides which pictures are mirrored.
        views: the frames, and the objects in them.
        width_px: width of the pictures in the batch.
        least_visible: objects that show a smaller share than this are not asked for.

    Returns:
        img (B, 3, H, W) float32 RGB in 0..1; cls (N, 1); bboxes (N, 4) centre and size as shares
        of the picture; batch_idx (N,).
    """
    pictures, targets = [], []
    for row, view in enumerate(views):
        truth = view.truth[view.truth.visibility >= least_visible]
        image, xyxy = letterbox_frame(view.frame.image, truth.xyxy, width_px)
        if rng.random() < 0.5:
            image = np.ascontiguousarray(image[:, ::-1])
            xyxy = xyxy[:, [2, 1, 0, 3]]
            xyxy[:, 0::2] = width_px - xyxy[:, 0::2]
        size = np.array([image.shape[1], image.shape[0]] * 2)
        centre, extent = (xyxy[:, :2] + xyxy[:, 2:]) / 2, xyxy[:, 2:] - xyxy[:, :2]
        rows = np.full((len(truth), 1), row)
        shares = np.hstack([centre, extent]) / size
        targets.append(np.hstack([rows, truth.class_id[:, None], shares]))
        pictures.append(image[..., ::-1].transpose(2, 0, 1))
    table = torch.from_numpy(np.vstack(targets).astype(np.float32))
    batch = torch.from_numpy(np.stack(pictures))
    return {
        "img": batch.float().div_(255).contiguous(memory_format=torch.channels_last),
        "batch_idx": table[:, 0],
        "cls": table[:, 1:2],
        "bboxes": table[:, 2:],
    }


def save_detector(model: nn.Module, out: Path) -> None:
    """Write weights, architecture and class names, and nothing else, in half precision.

    Args:
        model: what `build_detector` built; it cannot be trained any more after this.
        out: the Ultralytics checkpoint to write.
    """
    model.__dict__.pop("criterion", None)
    model.args = {}
    out.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"model": model.half().eval(), "train_args": {"task": "detect"}}, out)
