"""How well a network finds what it did not learn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from mot_dinov3.nets.sot.head import Answer
from mot_dinov3.perception.searchers.sot_networks import as_pixels
from mot_dinov3.training.recipes.base import Assessment
from mot_dinov3.training.recipes.sot.examples import Batch
from mot_dinov3.values import BoolArray, FloatArray, boxes

AT_ONCE = 32
SUCCESS = 0.5
"""The IoU from which on an object counts as found."""
SURE_RANGE = (0.05, 0.95)


@dataclass(frozen=True, slots=True)
class Found:
    """What a network says of examples.

    Attributes:
        iou: (N,) with the true box; 0 where the object is absent.
        score: (N,) of the best place.
        there: (N,) whether the object is in the search picture.
    """

    iou: FloatArray
    score: FloatArray
    there: BoolArray


def assess(model: nn.Module, batch: Batch) -> Assessment:
    """Success, mean IoU, and both controls: another object's template, and its gradient.

    Args:
        model: the network, in evaluation mode.
        batch: N examples that it did not learn from, two at least.
    """
    found = find_all(model, batch)
    swapped = find_all(
        model, batch._replace(templates=batch.templates.roll(1, 0), marks=batch.marks.roll(1, 0))
    )
    there = found.there
    values = {
        "success": float((found.iou[there] >= SUCCESS).mean()),
        "iou": float(found.iou[there].mean()),
        "success_swapped": float((swapped.iou[there] >= SUCCESS).mean()),
        "template_gradient": measure_gradient(model, batch),
    }
    return Assessment(values, best="iou", thresholds={"sure": choose_threshold(found)})


def find_all(model: nn.Module, batch: Batch) -> Found:
    """What the network says of each example, a few at a time."""
    parts = []
    device = next(model.parameters()).device
    for rows in torch.arange(len(batch.boxes)).split(AT_ONCE):
        part = Batch(*(one[rows].to(device) for one in batch))
        answer = run(model, part)
        score, place = answer.logits.flatten(1).max(1)
        each = torch.arange(len(rows), device=device)
        proposals = answer.boxes.flatten(2)[each, :, place]
        parts.append((proposals.float().cpu().numpy(), score.sigmoid().float().cpu().numpy()))
    found = np.concatenate([box for box, _ in parts])
    truth = batch.boxes.numpy()
    there = np.isfinite(truth).all(axis=1)
    iou = boxes.iou(boxes.sides(found), boxes.sides(np.nan_to_num(truth)))
    return Found(np.where(there, iou, 0), np.concatenate([score for _, score in parts]), there)


def run(model: nn.Module, batch: Batch) -> Answer:
    """The answer to a batch on the model's device."""
    templates = as_pixels(batch.templates.flatten(0, 1)).unflatten(0, batch.marks.shape[:2])
    answer: Answer = model(templates, batch.marks, as_pixels(batch.search))
    return answer


def measure_gradient(model: nn.Module, batch: Batch) -> float:
    """Mean size of the gradient of the scores by the template's pixels; 0 if it does not matter."""
    device = next(model.parameters()).device
    part = Batch(*(one[:AT_ONCE].to(device) for one in batch))
    pixels = as_pixels(part.templates.flatten(0, 1)).unflatten(0, part.marks.shape[:2])
    with torch.enable_grad():
        pixels = pixels.requires_grad_()
        answer = model(pixels, part.marks, as_pixels(part.search))
        total = answer.logits.sum() + answer.boxes.sum()
        if not total.requires_grad:
            return 0.0
        (gradient,) = torch.autograd.grad(total, pixels, allow_unused=True)
    return 0.0 if gradient is None else float(gradient.abs().mean())


def choose_threshold(found: Found) -> float:
    """The score that best parts objects that were found from all others.

    It has the largest difference of the shares of both that lie above it (Youden 1950).
    """
    hit = found.iou >= SUCCESS
    order = np.argsort(-found.score)
    gained = np.cumsum(hit[order]) / max(1, hit.sum())
    gained = gained - np.cumsum(~hit[order]) / max(1, (~hit).sum())
    return float(np.clip(found.score[order[int(gained.argmax())]], *SURE_RANGE))
