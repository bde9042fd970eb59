"""Track queries: what a track says to the decoder, and what it remembers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor


class TrackQueries(NamedTuple):
    """The tracks of one picture, or of several that are filled up to T tracks each.

    Attributes:
        content: (..., T, D) what the decoder is asked for.
        boxes: (..., T, 4) where it is asked for: centre and size as shares of the picture.
        memory: tensors (..., T, ...) of the updater.
    """

    content: Tensor
    boxes: Tensor
    memory: tuple[Tensor, ...] = ()

    def take(self, rows: Tensor) -> TrackQueries:
        """The tracks of these rows, with all that they remember; of one picture only."""
        memory = tuple(one[rows] for one in self.memory)
        return TrackQueries(self.content[rows], self.boxes[rows], memory)

    def keep(self, others: TrackQueries, rows: Tensor) -> TrackQueries:
        """These tracks where they are, but what `others` remember of the `rows` (T,)."""
        memory = tuple(
            torch.where(rows.view(-1, *[1] * (new.ndim - 1)), old, new)
            for new, old in zip(self.memory, others.memory, strict=True)
        )
        content = torch.where(rows[:, None], others.content, self.content)
        return TrackQueries(content, self.boxes, memory)

    def join(self, others: TrackQueries) -> TrackQueries:
        """These tracks, then the others of the same picture."""
        pairs = zip(self.memory, others.memory, strict=True)
        memory = tuple(torch.cat(pair) for pair in pairs)
        content = torch.cat((self.content, others.content))
        return TrackQueries(content, torch.cat((self.boxes, others.boxes)), memory)


def fill_up(tensors: Sequence[Tensor], most: int) -> Tensor:
    """(B, most, ...) of tensors (T, ...), zeros behind each."""
    out = tensors[0].new_zeros((len(tensors), most, *tensors[0].shape[1:]))
    for row, one in enumerate(tensors):
        out[row, : len(one)] = one
    return out


def stack_tracks(tracks: Sequence[TrackQueries]) -> tuple[TrackQueries, Tensor]:
    """Tracks of several pictures as one, and (B, T) which of them there are."""
    counts = [len(one.boxes) for one in tracks]
    most = max(counts)
    memory = tuple(
        fill_up(one, most) for one in zip(*(each.memory for each in tracks), strict=True)
    )
    stacked = TrackQueries(
        fill_up([one.content for one in tracks], most),
        fill_up([one.boxes for one in tracks], most),
        memory,
    )
    device = stacked.boxes.device
    there = torch.arange(most, device=device) < torch.tensor(counts, device=device)[:, None]
    return stacked, there


def unstack_tracks(stacked: TrackQueries, counts: Sequence[int]) -> list[TrackQueries]:
    """The tracks of each picture again."""
    return [
        TrackQueries(
            stacked.content[row, :count],
            stacked.boxes[row, :count],
            tuple(one[row, :count] for one in stacked.memory),
        )
        for row, count in enumerate(counts)
    ]
