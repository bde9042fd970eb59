"""A detector: the maps of a backbone, and a head of transformers that looks for objects in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import nn

from mot_dinov3.nets.detr.heads import DEFORMABLE, DETR, RTDETR, HeadShape, build_head
from mot_dinov3.nets.maps.convolutions import Maps

PROBE_SIDE = 64
"""Pixels along the picture that tells backbones apart."""
PYRAMID = 3
"""Maps that an RT-DETR head needs, each of half the size."""


class Found(NamedTuple):
    """What a detector says of pictures.

    Attributes:
        score: (B, Q, C) of each class, 0 to 1.
        boxes: (B, Q, 4) centre and size as shares of the picture.
    """

    score: torch.Tensor
    boxes: torch.Tensor


class DetrNetwork(nn.Module):  # type: ignore[misc]
    """Backbone and head.

    Attributes:
        backbone: pictures -> maps.
        head: a model of transformers.
        shape: of the head.
        frozen: whether the backbone stays as it is, in evaluation mode: DINOv3 moves its positions
            at random in training mode.
    """

    def __init__(self, backbone: nn.Module, shape: HeadShape, *, frozen: bool = True) -> None:
        """Put a head with random weights on a backbone.

        Args:
            backbone: (B, 3, H, W) -> maps; has `channels` and `strides`.
            shape: of the head.
            frozen: the backbone does not learn.
        """
        super().__init__()
        channels = list(backbone.channels)
        if shape.kind == RTDETR and len(channels) < PYRAMID:
            channels = (channels + [channels[-1]] * PYRAMID)[:PYRAMID]
        self.backbone = backbone.requires_grad_(not frozen)
        self.head = build_head(shape, channels)
        self.shape, self.frozen = shape, frozen
        self.train(self.training)

    def train(self, mode: bool = True) -> DetrNetwork:
        """Note the mode; a frozen backbone stays in evaluation mode."""
        super().train(mode)
        if self.frozen:
            self.backbone.eval()
        return self

    def look(self, pixels: torch.Tensor) -> Maps:
        """The backbone's maps of pictures (B, 3, H, W), without a gradient where it is frozen."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            maps: Maps = self.backbone(pixels)
        return maps

    def forward(self, pixels: torch.Tensor) -> Found:
        """Find objects in pictures (B, 3, H, W) of normalised RGB that fill their tensor."""
        return self.find(pixels, self.look(pixels))

    def find(self, pixels: torch.Tensor, maps: Maps) -> Found:
        """Find objects in pictures whose maps are known; of `pixels` only the shape is read."""
        answer = self._ask(pixels, None, maps)
        if self.shape.kind == DETR:
            return Found(answer.logits.softmax(-1)[..., :-1], answer.pred_boxes)
        return Found(answer.logits.sigmoid(), answer.pred_boxes)

    def measure_loss(
        self,
        pixels: torch.Tensor,
        mask: torch.Tensor,
        labels: list[dict[str, torch.Tensor]],
        maps: Maps = (),
    ) -> dict[str, torch.Tensor]:
        """What is wrong with the answer, in terms that add up.

        Args:
            pixels: (B, 3, H, W) normalised RGB, padded; with `maps` only its shape is read.
            mask: (B, H, W), 1 where the picture is.
            labels: for each picture `class_labels` (N,) and `boxes` (N, 4), centre and size as
                shares of the picture without its padding.
            maps: of the backbone, where they are known.
        """
        answer = self._ask(pixels, mask, maps or self.look(pixels), labels=labels)
        config = self.head.config
        terms = weigh(answer.loss, answer.loss_dict, config, self.shape.kind)
        if self.shape.kind == DEFORMABLE:
            terms["proposals"] = measure_proposals(answer, labels, config)
        return terms

    def _ask(
        self,
        pixels: torch.Tensor,
        mask: torch.Tensor | None,
        maps: Maps,
        labels: list[dict[str, torch.Tensor]] | None = None,
    ) -> Any:  # noqa: ANN401 - an output of transformers
        stub = self.head.model.backbone
        stub.maps = spread(maps) if self.shape.kind == RTDETR else maps
        try:
            return self.head(pixel_values=pixels, pixel_mask=mask, labels=labels)
        finally:
            stub.maps = ()

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def probe(self) -> torch.Tensor:
        """(C,) float32 means over the top row of the maps of a fixed picture.

        They tell backbones apart.
        """
        first = next(self.backbone.parameters())
        multiple = 2 * max(self.backbone.strides)
        side = -(-PROBE_SIDE // multiple) * multiple
        picture = torch.linspace(-2e3, 2e3, 3 * side * side, device=first.device).sin()
        was = self.backbone.training
        maps = self.backbone.eval()(picture.view(1, 3, side, side))
        self.backbone.train(was)
        return torch.cat([one[0, :, 0].mean(-1) for one in maps]).float()


def spread(maps: Maps) -> Maps:
    """Maps of three strides that double, of one or two; the simple pyramid of ViTDet.

    Li et al. 2022, "Exploring plain vision transformer backbones for object detection", section 3,
    without its learned parts.
    """
    if len(maps) >= PYRAMID:
        return maps
    last = maps[-1]
    coarse = nn.functional.max_pool2d(last, 2)
    if len(maps) == 2:
        return (*maps, coarse)
    return nn.functional.interpolate(last, scale_factor=2.0, mode="bilinear"), last, coarse


def weigh(
    total: torch.Tensor,
    parts: Mapping[str, torch.Tensor],
    config: Any,  # noqa: ANN401 - of transformers
    kind: str,
) -> dict[str, torch.Tensor]:
    """The loss of transformers by its meaning: classes, corners and overlap, which add up to it.

    Args:
        total: the sum that transformers computes.
        parts: its terms; RT-DETR has weighed them, the others have not.
        config: holds the weights.
        kind: of the head.
    """
    weighed = kind == RTDETR
    corners, overlap = (
        sum(value for name, value in parts.items() if name.startswith(start))
        * (1 if weighed else weight)
        for start, weight in (
            ("loss_bbox", getattr(config, "bbox_loss_coefficient", 1)),
            ("loss_giou", getattr(config, "giou_loss_coefficient", 1)),
        )
    )
    return {"classes": total - corners - overlap, "corners": corners, "overlap": overlap}


def measure_proposals(
    answer: Any,  # noqa: ANN401 - an output of transformers
    labels: list[dict[str, torch.Tensor]],
    config: Any,  # noqa: ANN401 - of transformers
) -> torch.Tensor:
    """What is wrong with the places that a deformable head proposes before it looks closer.

    Zhu et al. 2021, "Deformable DETR", appendix A.4: every cell of the maps says whether it shows
    an object, and where. Transformers asks the first class for it, and leaves its loss out.
    """
    from transformers.loss.loss_deformable_detr import (
        DeformableDetrHungarianMatcher,
        DeformableDetrImageLoss,
    )

    matcher = DeformableDetrHungarianMatcher(
        class_cost=config.class_cost, bbox_cost=config.bbox_cost, giou_cost=config.giou_cost
    )
    criterion = DeformableDetrImageLoss(matcher, 1, config.focal_alpha, ["labels", "boxes"])
    proposed = {
        "logits": answer.enc_outputs_class[..., :1],
        "pred_boxes": answer.enc_outputs_coord_logits.sigmoid(),
    }
    one_class = [{**one, "class_labels": one["class_labels"] * 0} for one in labels]
    found = criterion(proposed, one_class)
    weights = (1, config.bbox_loss_coefficient, config.giou_loss_coefficient)
    names = ("loss_ce", "loss_bbox", "loss_giou")
    total: torch.Tensor = sum(
        found[name] * weight for name, weight in zip(names, weights, strict=True)
    )
    return total
