"""The heads of transformers, around the maps of a backbone that is not theirs.

`DetrConfig(backbone_config=...)` and its relatives build a random backbone without a word. Here a
stub of the right number of channels takes its place, and is given the maps from outside.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import transformers
from torch import nn

from mot_dinov3.nets.maps.convolutions import Maps

DETR, DEFORMABLE, RTDETR = "detr", "deformable", "rtdetr"
LEVELS = 4
"""Maps that a deformable head samples: those of the backbone, and coarser ones made of them."""
PRIOR = 0.01
"""Share of queries that a focal loss expects to show an object at first (Lin et al. 2017, 4.1)."""
HEADS = 8
NO_DROPOUT = 0.0
"""Of a plain DETR, which learns slowly enough without; its authors had 500 epochs of COCO."""
LEAST_VARIANCE = 1e-8
"""Added to that of a channel; maps of small backbones vary by some hundredths."""
WIDENING = 4
"""Width of a feed-forward layer, in widths of a token."""


@dataclass(frozen=True, slots=True)
class HeadShape:
    """What a head consists of.

    Attributes:
        kind: `detr`, `deformable` or `rtdetr`.
        classes: how many there are.
        queries: the most objects that a picture may show.
        dim: length of a token.
        encoder_layers: layers that mix the map before objects are asked for; may be 0.
        decoder_layers: layers that look for objects.
    """

    kind: str
    classes: int
    queries: int = 300
    dim: int = 256
    encoder_layers: int = 6
    decoder_layers: int = 6


class GivenMaps(nn.Module):  # type: ignore[misc]
    """Stands where a head of transformers looks for its backbone, and hands out what it was given.

    Args:
        channels: of each map.
        standard: measure maps in their standard deviations, for a head that does not do it.

    Attributes:
        maps: of the pictures that the head is called for.
        intermediate_channel_sizes: channels of each map.
    """

    def __init__(self, channels: Sequence[int], *, standard: bool = False) -> None:
        super().__init__()
        self._standard = standard
        self.intermediate_channel_sizes = list(channels)
        self.maps: Maps = ()

    def forward(
        self, pixel_values: torch.Tensor, pixel_mask: torch.Tensor
    ) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Each map with its mask, True where the picture is."""
        mask = pixel_mask[None].float()
        sizes = [one.shape[-2:] for one in self.maps]
        masks = [nn.functional.interpolate(mask, size=size)[0].bool() for size in sizes]
        pairs = list(zip(self.maps, masks, strict=True))
        return [(standardise(*pair), pair[1]) for pair in pairs] if self._standard else pairs


def standardise(maps: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Maps (B, C, h, w) with mean 0 and variance 1 of each channel over the places of a picture.

    What all places have in common is most of a map that was rectified, and nothing can be found by
    it. Places that `mask` (B, h, w) leaves out are 0, and do not count.
    """
    inside = mask[:, None].float()
    count = inside.sum((2, 3), keepdim=True).clamp(min=1)
    mean = (maps * inside).sum((2, 3), keepdim=True) / count
    apart = (maps.float() - mean) * inside
    variance = apart.square().sum((2, 3), keepdim=True) / count
    return (apart * (variance + LEAST_VARIANCE).rsqrt()).to(maps.dtype)


def build_head(shape: HeadShape, channels: Sequence[int]) -> Any:  # noqa: ANN401 - of transformers
    """A head with random weights whose backbone is a `GivenMaps`.

    Args:
        shape: of the head.
        channels: of the maps that it will be given, finest first; `detr` reads the last alone.
    """
    head = BUILDERS[shape.kind](shape, list(channels))
    head.model.backbone = GivenMaps(channels, standard=shape.kind == DETR)
    return head


def _build_detr(shape: HeadShape, channels: list[int]) -> nn.Module:
    config = transformers.DetrConfig(
        **_common(shape, channels), num_queries=shape.queries, dropout=NO_DROPOUT
    )
    head = transformers.DetrForObjectDetection(config)
    _begin_apart(head)
    return head


def _build_deformable(shape: HeadShape, channels: list[int]) -> nn.Module:
    config = transformers.DeformableDetrConfig(
        **_common(shape, channels),
        num_queries=shape.queries,
        num_feature_levels=max(LEVELS, len(channels)),
        with_box_refine=True,
        two_stage=True,
        two_stage_num_proposals=shape.queries,
        disable_custom_kernels=True,
    )
    head = transformers.DeformableDetrForObjectDetection(config)
    for part in (head, head.model.decoder):
        _begin_rarely(part.class_embed)
        _begin_in_place(part.bbox_embed)
    return head


def _build_rtdetr(shape: HeadShape, channels: list[int]) -> nn.Module:
    common = _common(shape, channels)
    common["encoder_layers"] = min(shape.encoder_layers, 1)
    config = transformers.RTDetrConfig(
        **common,
        num_queries=shape.queries,
        encoder_hidden_dim=shape.dim,
        encoder_in_channels=channels,
        decoder_in_channels=[shape.dim] * len(channels),
        feat_strides=[8 << level for level in range(len(channels))],
        encode_proj_layers=[len(channels) - 1],
        num_feature_levels=len(channels),
        initializer_bias_prior_prob=PRIOR,
    )
    head = transformers.RTDetrForObjectDetection(config)
    for module in head.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()  # transformers draws scales around 0, which stops all signal
    return head


BUILDERS: dict[str, Callable[[HeadShape, list[int]], nn.Module]] = {
    DEFORMABLE: _build_deformable,
    DETR: _build_detr,
    RTDETR: _build_rtdetr,
}
"""Kind of a head -> how it is built."""


def _common(shape: HeadShape, channels: list[int]) -> dict[str, Any]:
    stages = [f"stage{n}" for n in range(1, len(channels) + 1)]
    stub = transformers.ResNetConfig(
        embedding_size=8,
        hidden_sizes=channels,
        depths=[1] * len(channels),
        layer_type="basic",
        out_features=stages,
    )
    return {
        "backbone_config": stub,
        "use_timm_backbone": False,
        "num_labels": shape.classes,
        "d_model": shape.dim,
        "encoder_layers": shape.encoder_layers,
        "decoder_layers": shape.decoder_layers,
        "encoder_ffn_dim": WIDENING * shape.dim,
        "decoder_ffn_dim": WIDENING * shape.dim,
        "encoder_attention_heads": HEADS,
        "decoder_attention_heads": HEADS,
        "auxiliary_loss": True,
    }


def _begin_apart(head: nn.Module) -> None:
    """Let queries begin as different ones that look at different places, as DETR's authors do.

    Transformers draws all weights with a deviation of .02, where the authors have queries of 1 and
    layers that keep the size of what passes them (Carion et al. 2020, appendix A.4). With .02 all
    queries give one box, to a millionth of the picture, and none learns what another does not.
    """
    body = head.model
    for part in (body.encoder, body.decoder):
        for weight in part.parameters():
            if weight.ndim > 1:
                nn.init.xavier_uniform_(weight)
    for layer in (body.input_projection, head.class_labels_classifier, *head.bbox_predictor.layers):
        layer.reset_parameters()
    nn.init.normal_(body.query_position_embeddings.weight)


def _begin_rarely(layers: nn.ModuleList) -> None:
    """Let a focal loss begin with few objects, which transformers leaves out."""
    for layer in layers:
        nn.init.constant_(layer.bias, math.log(PRIOR / (1 - PRIOR)))


def _begin_in_place(layers: nn.ModuleList) -> None:
    """Let boxes begin as what was proposed, as Deformable DETR with two stages does."""
    for layer in layers:
        nn.init.zeros_(layer.layers[-1].weight)
        nn.init.zeros_(layer.layers[-1].bias)
