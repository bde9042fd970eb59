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

    Attributes:
        maps: of the pictures that the head is called for.
        intermediate_channel_sizes: channels of each map.
    """

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        self.intermediate_channel_sizes = list(channels)
        self.maps: Maps = ()

    def forward(
        self, pixel_values: torch.Tensor, pixel_mask: torch.Tensor
    ) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Each map with its mask, True where the picture is."""
        mask = pixel_mask[None].float()
        sizes = [one.shape[-2:] for one in self.maps]
        masks = [nn.functional.interpolate(mask, size=size)[0].bool() for size in sizes]
        return list(zip(self.maps, masks, strict=True))


def build_head(shape: HeadShape, channels: Sequence[int]) -> Any:  # noqa: ANN401 - of transformers
    """A head with random weights whose backbone is a `GivenMaps`.

    Args:
        shape: of the head.
        channels: of the maps that it will be given, finest first; `detr` reads the last alone.
    """
    head = BUILDERS[shape.kind](shape, list(channels))
    head.model.backbone = GivenMaps(channels)
    return head


def _build_detr(shape: HeadShape, channels: list[int]) -> nn.Module:
    config = transformers.DetrConfig(**_common(shape, channels), num_queries=shape.queries)
    return transformers.DetrForObjectDetection(config)


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


def _begin_rarely(layers: nn.ModuleList) -> None:
    """Let a focal loss begin with few objects, which transformers leaves out."""
    for layer in layers:
        nn.init.constant_(layer.bias, math.log(PRIOR / (1 - PRIOR)))


def _begin_in_place(layers: nn.ModuleList) -> None:
    """Let boxes begin as what was proposed, as Deformable DETR with two stages does."""
    for layer in layers:
        nn.init.zeros_(layer.layers[-1].weight)
        nn.init.zeros_(layer.layers[-1].bias)
