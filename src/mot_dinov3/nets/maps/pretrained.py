"""Maps of vision models that transformers has loaded: ConvNeXt by its stages, ViT by its layers."""

from __future__ import annotations

import torch
from torch import nn

from mot_dinov3.errors import ModelError
from mot_dinov3.nets.maps.convolutions import Maps

STEM_STRIDE = 4
"""Of a ConvNeXt's first stage; it doubles with each."""


class ConvNextMaps(nn.Module):  # type: ignore[misc]
    """Stages of a DINOv3 ConvNeXt of transformers, from the second on.

    The maps are taken from the stages themselves: `last_hidden_state` of the whole model has a
    pooled token before those of the map, and stride 32.

    Args:
        model: a `DINOv3ConvNextModel`, loaded.
        stages: 3 for strides 8 and 16, 4 for stride 32 too.

    Attributes:
        channels: of each map.
        strides: of each map.

    Raises:
        ModelError: it has fewer stages.
    """

    def __init__(self, model: nn.Module, stages: int = 3) -> None:
        super().__init__()
        sizes = list(model.config.hidden_sizes)
        if len(sizes) < stages:
            raise ModelError(
                f"A ConvNeXt of {len(sizes)} stages has no map of stride "
                f"{STEM_STRIDE << (stages - 1)}.",
                fix="Give --backbone facebook/dinov3-convnext-tiny-pretrain-lvd1689m.",
            )
        self.channels = tuple(int(size) for size in sizes[1:stages])
        self.strides = tuple(STEM_STRIDE << stage for stage in range(1, stages))
        self.stages = nn.ModuleList(model.model.stages[:stages])

    def forward(self, pixels: torch.Tensor) -> Maps:
        """(B, 3, H, W) normalised RGB -> maps, normalised at each place."""
        maps, found = self.stages[0](pixels), []
        for stage in self.stages[1:]:
            maps = stage(maps)
            found.append(even_out(maps))
        return tuple(found)


class VitMaps(nn.Module):  # type: ignore[misc]
    """The patch tokens of a vision transformer as one map, from several of its layers.

    Layers at equal distances up to the last are concatenated, as DINOv3 is used for detection
    (Simeoni et al. 2025, appendix D.9).

    Args:
        model: a transformers model with patches, loaded.
        layers: how many layers are read, from 1.

    Attributes:
        channels: of the only map.
        strides: the side of a patch.

    Raises:
        ModelError: the model has no patches, or fewer layers.
    """

    def __init__(self, model: nn.Module, layers: int = 1) -> None:
        super().__init__()
        config = model.config
        patch, depth = getattr(config, "patch_size", None), getattr(config, "num_hidden_layers", 0)
        if not isinstance(patch, int) or patch < 1:
            raise ModelError(
                f"A '{config.model_type}' model does not divide pictures into patches.",
                fix="Give --backbone a vision transformer or a DINOv3 ConvNeXt.",
            )
        if not 1 <= layers <= depth:
            raise ModelError(
                f"A model of {depth} layers cannot be read at {layers} of them.",
                fix=f"Give --layers from 1 to {depth}.",
            )
        self.model = model
        self.strides = (patch,)
        self.channels = (layers * int(config.hidden_size),)
        self._read = [round(depth * (n + 1) / layers) for n in range(layers)]

    def forward(self, pixels: torch.Tensor) -> Maps:
        """(B, 3, H, W) normalised RGB -> one map, normalised at each place and layer.

        Raises:
            ModelError: there are fewer tokens than patches.
        """
        grid = [side // self.strides[0] for side in pixels.shape[2:]]
        states = self.model(pixel_values=pixels, output_hidden_states=True).hidden_states
        return (torch.cat([lay_out(states[layer], grid) for layer in self._read], dim=1),)


def lay_out(tokens: torch.Tensor, grid: list[int]) -> torch.Tensor:
    """(B, prefix + h * w, D) tokens -> (B, D, h, w), normalised; `grid` is h and w.

    Raises:
        ModelError: there are fewer tokens than patches.
    """
    count = grid[0] * grid[1]
    if tokens.ndim != 3 or tokens.shape[1] < count:
        raise ModelError(
            f"The model answers with shape {tuple(tokens.shape)}, not with a token per patch.",
            fix="Give --backbone a vision transformer, such as DINOv3 or DINOv2.",
        )
    maps: torch.Tensor = even_out(tokens[:, -count:].transpose(1, 2).unflatten(2, grid))
    return maps


def even_out(maps: torch.Tensor) -> torch.Tensor:
    """(B, C, h, w) with mean 0 and variance 1 over the channels of each place."""
    last = maps.permute(0, 2, 3, 1)
    even: torch.Tensor = nn.functional.layer_norm(last, last.shape[-1:])
    return even.permute(0, 3, 1, 2)


def list_given(backbone: nn.Module) -> set[str]:
    """Names in its `state_dict()` of weights that users have anyway; none of a network of ours."""
    return set(backbone.state_dict()) if isinstance(backbone, (ConvNextMaps, VitMaps)) else set()
