"""Selects on a GPU what of a YOLO head's raw maps may become a box, so that little is fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from mot_dinov3.perception.detectors.decode import logit

if TYPE_CHECKING:
    import torch

    Tensors: TypeAlias = tuple[torch.Tensor, ...]
    Grid: TypeAlias = tuple[tuple[tuple[int, int], ...], int]


class DeviceCandidates:
    """Turns raw maps into a table of the cells above a confidence, in float32.

    The maps of a picture are megabytes, and hardly any of their cells counts. See
    `decode.decode_candidates` for the columns; rows come picture by picture, in the order in which
    `decode.decode_levels` goes through the cells.

    Args:
        floor: a box needs more confidence than this.
        neck: the neck's maps stand behind those of the head, and are handed on as they are.
    """

    def __init__(self, floor: float, *, neck: bool = False) -> None:
        self._least = logit(floor)
        self._neck = neck
        self._cells: dict[Grid, torch.Tensor] = {}

    def __call__(self, maps: Tensors, height: int) -> Tensors:
        """The table, and the neck's maps behind it.

        Args:
            maps: see `decode.decode_levels`, of B pictures; those of the neck behind them.
            height: of the network's input in pixels.
        """
        import torch

        count = len(maps) // 3 if self._neck else len(maps) // 2
        boxes, scores = maps[:count], maps[count : 2 * count]
        best = torch.cat([level.flatten(2).amax(dim=1) for level in scores], dim=1)
        picture, cell = (best.float() > self._least).nonzero(as_tuple=True)
        bins = torch.cat([level.flatten(2) for level in boxes], dim=2)[picture, :, cell]
        values = torch.cat([level.flatten(2) for level in scores], dim=2)[picture, :, cell]
        value, class_id = values.max(dim=1)
        single = [part[:, None].float() for part in (picture, class_id, value)]
        cells = self._list_cells(boxes, height)[cell]
        table = torch.cat([single[0], cells, *single[1:], bins.float()], dim=1)
        return (table, *maps[2 * count :])

    def _list_cells(self, boxes: Tensors, height: int) -> torch.Tensor:
        """(A, 3) float32 centre and stride of every cell, in cells and in pixels."""
        import torch

        sizes = tuple((level.shape[2], level.shape[3]) for level in boxes)
        if (sizes, height) not in self._cells:
            parts = []
            for rows, columns in sizes:
                y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
                stride = torch.full((rows * columns,), height / rows)
                parts.append(torch.stack((x.flatten() + 0.5, y.flatten() + 0.5, stride), dim=1))
            self._cells = {(sizes, height): torch.cat(parts).to(boxes[0].device)}
        return self._cells[sizes, height]
