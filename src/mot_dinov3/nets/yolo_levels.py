"""A YOLO whose head hands out its raw maps instead of decoding boxes from them."""

from __future__ import annotations

from typing import Any

import torch


def expose_levels(network: Any, *, neck: bool = False) -> None:  # noqa: ANN401 - ultralytics' model
    """Let a detection network answer with raw maps, see `detectors.decode.decode_levels`.

    Its answer becomes the box maps of all levels, their class maps, and with `neck` the feature
    maps that the head reads. `hide_levels` undoes it.

    Args:
        network: an Ultralytics detection model; its last layer is the head.
        neck: hand out the neck's maps too.

    Raises:
        AttributeError, TypeError, ValueError: the head is built otherwise.
    """
    head = network.model[-1]
    branches = list(zip(head.cv2, head.cv3, strict=True))

    def forward(maps: list[torch.Tensor]) -> tuple[torch.Tensor, ...]:
        boxes = [branch[0](level) for branch, level in zip(branches, maps, strict=True)]
        scores = [branch[1](level) for branch, level in zip(branches, maps, strict=True)]
        return (*boxes, *scores, *(maps if neck else ()))

    head.forward = forward


def hide_levels(network: Any) -> None:  # noqa: ANN401 - ultralytics' model
    """Let the head decode boxes again."""
    vars(network.model[-1]).pop("forward", None)
