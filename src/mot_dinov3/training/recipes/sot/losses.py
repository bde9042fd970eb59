"""What a single-object network is asked for."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from mot_dinov3.nets.sot.head import Answer

GIOU_WEIGHT, CORNER_WEIGHT = 2.0, 5.0
"""Of OSTrack (Ye et al. 2022, equation 2)."""
LEAST_OVERLAP = 0.7
"""A centre may be off as far as leaves boxes this IoU (Law and Deng 2018, "CornerNet")."""


def measure_loss(answer: Answer, boxes: Tensor) -> Mapping[str, Tensor]:
    """Focal loss of centres, and overlap and corners of the box at the true centre.

    Args:
        answer: of the network for B search pictures.
        boxes: (B, 4) true boxes as shares of a picture's side; rows of NaN for absent objects,
            which have no centre.
    """
    there = boxes.isfinite().all(1)
    known = boxes.nan_to_num(0.5)
    side = answer.logits.shape[-1]
    aim = draw_centres(known, side) * there[:, None, None]
    found = pick_boxes(answer.boxes, locate_centres(known, side))[there]
    truth = known[there]
    count = max(1, len(truth))
    return {
        "centre": lose_focal(answer.logits, aim),
        "overlap": GIOU_WEIGHT * (1 - measure_giou(found, truth)).sum() / count,
        "corners": CORNER_WEIGHT * (found - truth).abs().mean(1).sum() / count,
    }


def locate_centres(boxes: Tensor, side: int) -> Tensor:
    """(B, 2) column and row of the place that each centre lies in."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    return (centres * side).long().clamp(0, side - 1)


def pick_boxes(boxes: Tensor, places: Tensor) -> Tensor:
    """(B, 4) of the proposals (B, 4, s, s), those at `places` (B, 2)."""
    rows = torch.arange(len(boxes), device=boxes.device)
    return boxes[rows, :, places[:, 1], places[:, 0]]


def draw_centres(boxes: Tensor, side: int) -> Tensor:
    """(B, side, side) Gaussians around the places of centres, 1 there (CornerNet, section 3.2)."""
    places = locate_centres(boxes, side)
    wh = (boxes[:, 2:] - boxes[:, :2]).clamp(min=1e-3) * side
    slack = (1 - LEAST_OVERLAP) / (1 + LEAST_OVERLAP)
    spread = (wh * slack / 3).clamp(min=0.3)[:, :, None]
    steps = torch.arange(side, device=boxes.device)
    away = (steps - places[:, :, None]) / spread
    across, down = (-away.square() / 2).exp().unbind(1)
    return down[:, :, None] * across[:, None, :]


def lose_focal(logits: Tensor, aim: Tensor) -> Tensor:
    """Focal loss with less weight near a centre (CornerNet, equation 1); mean over pictures."""
    logits = logits.float()
    hit = aim.eq(1).float()
    chance = logits.sigmoid()
    positive = hit * (1 - chance).square() * logsigmoid(logits)
    negative = (1 - hit) * (1 - aim).pow(4) * chance.square() * logsigmoid(-logits)
    return -(positive + negative).sum() / len(logits)


def measure_giou(found: Tensor, truth: Tensor) -> Tensor:
    """(B,) generalised IoU of pairs of boxes (B, 4) (Rezatofighi et al. 2019, algorithm 1)."""
    common = _measure_area(
        torch.maximum(found[:, :2], truth[:, :2]), torch.minimum(found[:, 2:], truth[:, 2:])
    )
    sizes = [_measure_area(boxes[:, :2], boxes[:, 2:]) for boxes in (found, truth)]
    union = sum(sizes) - common + 1e-9
    hull = _measure_area(
        torch.minimum(found[:, :2], truth[:, :2]), torch.maximum(found[:, 2:], truth[:, 2:])
    )
    return common / union - (hull - union) / (hull + 1e-9)


def _measure_area(first: Tensor, last: Tensor) -> Tensor:
    return (last - first).clamp(min=0).prod(1)
