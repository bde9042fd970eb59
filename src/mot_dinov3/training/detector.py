"""The demo detector: a YOLOv8 of an eighth of the width, taught on random streets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import torch
from torch import nn

from mot_dinov3.data.synthetic.truth import CLASS_NAMES
from mot_dinov3.perception.detectors.ultralytics_setup import import_ultralytics, preserve_threads
from mot_dinov3.training.scenes import StreetPool, View
from mot_dinov3.training.schedule import (
    SmoothedModel,
    learning_rate,
    parameter_groups,
    set_learning_rate,
)
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
class DetectorRecipe:
    """How the demo detector is trained.

    Attributes:
        steps: optimizer steps.
        batch: frames per step.
        widths_px: input widths that take turns, so that several `--imgsz` work.
        peak_rate: highest learning rate of AdamW.
        decay: weight decay.
        least_visible: objects that show less than this are not asked for.
        seed: decides weights, streets and augmentation.
    """

    steps: int = 900
    batch: int = 8
    widths_px: tuple[int, ...] = (512, 640, 640, 768, 960, 960)
    peak_rate: float = 2e-3
    decay: float = 1e-2
    least_visible: float = 0.25
    seed: int = 0


def build_detector() -> nn.Module:
    """A DetectionModel of `ARCHITECTURE` with random weights, ready for its loss."""
    import_ultralytics()
    with preserve_threads():
        from ultralytics.nn.tasks import DetectionModel

        model: nn.Module = DetectionModel(
            {**ARCHITECTURE, "channels": 3}, ch=3, nc=len(CLASS_NAMES), verbose=False
        )
    model.names = dict(CLASS_NAMES)
    model.args = SimpleNamespace(**_LOSS_GAINS)
    return model


def letterboxed(image: Image, xyxy: FloatArray, width_px: int) -> tuple[Image, FloatArray]:
    """A frame at another width, padded in height to whole strides, and its boxes there."""
    scale = width_px / image.shape[1]
    height = round(image.shape[0] * scale)
    resized = cv2.resize(image, (width_px, height), interpolation=cv2.INTER_LINEAR)
    missing = -height % STRIDE_PX
    top = missing // 2
    padded = cv2.copyMakeBorder(
        resized, top, missing - top, 0, 0, cv2.BORDER_CONSTANT, value=(_PADDING,) * 3
    )
    return np.asarray(padded, np.uint8), xyxy * scale + np.array([0, top, 0, top], np.float32)


def training_batch(
    rng: np.random.Generator, views: list[View], width_px: int, least_visible: float
) -> dict[str, torch.Tensor]:
    """Frames and boxes in the form of Ultralytics' detection loss.

    Returns:
        img (B, 3, H, W) float32 RGB in 0..1; cls (N, 1); bboxes (N, 4) centre and size as shares
        of the picture; batch_idx (N,).
    """
    pictures, targets = [], []
    for row, view in enumerate(views):
        truth = view.truth[view.truth.visibility >= least_visible]
        image, xyxy = letterboxed(view.frame.image, truth.xyxy, width_px)
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


def train_detector(
    recipe: DetectorRecipe, out: Path, say: Callable[[str], None] = lambda _: None
) -> Path:
    """Train from random weights and save an Ultralytics checkpoint at `out`.

    Args:
        recipe: how.
        out: the `.pt` file to write.
        say: gets a line of progress now and then.
    """
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng([recipe.seed, 11])
    model = build_detector().to(memory_format=torch.channels_last).train()
    smoothed = SmoothedModel(model, horizon=max(1, min(300, recipe.steps // 4)))
    optimizer = torch.optim.AdamW(parameter_groups(model, recipe.decay), lr=recipe.peak_rate)
    pool = StreetPool(2 * recipe.seed)
    criterion = model.init_criterion()
    for step in range(recipe.steps):
        width_px = recipe.widths_px[int(rng.integers(len(recipe.widths_px)))]
        views = [view for _ in range(recipe.batch // 2) for view in pool.views(2)]
        batch = training_batch(rng, views, width_px, recipe.least_visible)
        set_learning_rate(optimizer, learning_rate(step, recipe.steps, recipe.peak_rate))
        losses, _ = criterion(model(batch["img"]), batch)
        optimizer.zero_grad(set_to_none=True)
        losses.sum().backward()
        nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimizer.step()
        smoothed.update(model)
        if step % 50 == 0 or step == recipe.steps - 1:
            box, kind, edge = (losses.detach() / recipe.batch).tolist()
            say(f"detector step {step}: box {box:.3f} class {kind:.3f} edge {edge:.3f}")
    save_detector(smoothed.model, out)
    return out


def save_detector(model: nn.Module, out: Path) -> None:
    """Write weights, architecture and class names, and nothing else, in half precision."""
    model.__dict__.pop("criterion", None)
    model.args = {}
    out.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"model": model.half().eval(), "train_args": {"task": "detect"}}, out)
