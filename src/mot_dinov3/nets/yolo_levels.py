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


def decode_in_float32(network: Any) -> None:  # noqa: ANN401 - ultralytics' model
    """Let a head that decodes boxes do so in float32, whatever its convolutions compute in.

    fp16 has steps of half a pixel from 512 pixels on, and of one from 1024 on.

    Args:
        network: an Ultralytics detection model that is placed on its device; one whose head is
            built otherwise stays as it is.
    """
    head, name = network.model[-1], "_inference"
    decode = getattr(head, name, None)
    if decode is None or not hasattr(head, "dfl"):
        return
    head.dfl.float()

    def exact(parts: dict[str, Any]) -> torch.Tensor:
        given = {key: _exact(part) for key, part in parts.items()}
        with torch.autocast(given["boxes"].device.type, enabled=False):
            answer: torch.Tensor = decode(given)
        return answer

    setattr(head, name, exact)


def _exact(part: Any) -> Any:  # noqa: ANN401 - a tensor, or a list of them
    return part.float() if isinstance(part, torch.Tensor) else part
