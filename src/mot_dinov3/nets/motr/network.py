"""Deformable DETR with track queries: one network that finds objects and follows them.

Zeng et al. 2022, "MOTR": what a track remembers is asked for beside the queries that detect. Here
the heads of transformers are used as they are; without tracks the answer is theirs to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from torchvision.ops import box_convert, box_iou
from transformers.models.deformable_detr.modeling_deformable_detr import inverse_sigmoid

from mot_dinov3.nets.detr.heads import DEFORMABLE, HeadShape
from mot_dinov3.nets.detr.network import DetrNetwork
from mot_dinov3.nets.maps.convolutions import Maps
from mot_dinov3.nets.motr.samba import SambaUpdater
from mot_dinov3.nets.motr.search import Resemblance, Search, Surroundings, lay_out
from mot_dinov3.nets.motr.tracks import TrackQueries, stack_tracks, unstack_tracks
from mot_dinov3.nets.motr.updaters import LongMemory, Seen, Updater

UPDATERS: dict[str, Callable[[int], Updater]] = {
    "samba": SambaUpdater,
    "memotr": LongMemory,
    "none": lambda dim: Updater(),
}
"""Name -> what builds the memory for contents of a length."""
MINGLED = 0.4
"""Overlap of two tracks from which on neither remembers what is seen of it."""
UNHEARD = -1e9
MARK = 0.5
"""Deviation of what tells tracks from other queries at first, whose numbers deviate by 1."""


class Picture(NamedTuple):
    """A batch of pictures as the network sees them.

    Attributes:
        pixels: (B, 3, H, W) normalised RGB, padded.
        mask: (B, H, W), 1 where a picture is; None where each fills its tensor.
        maps: of the backbone, where they are known.
    """

    pixels: Tensor
    mask: Tensor | None = None
    maps: Maps = ()


class Answer(NamedTuple):
    """What the decoder says; the first Q queries detect, the others follow T tracks.

    Attributes:
        logits: (L, B, Q + T, C) after each layer.
        boxes: (L, B, Q + T, 4) centre and size as shares of the picture.
        output: (B, Q + T, D) of the last layer.
        enc_outputs_class: (B, S, C) what each place of the maps proposes.
        enc_outputs_coord_logits: (B, S, 4) where.
        alike: where tracks looked.
    """

    logits: Tensor
    boxes: Tensor
    output: Tensor
    enc_outputs_class: Tensor
    enc_outputs_coord_logits: Tensor
    alike: Resemblance


class MotrNetwork(DetrNetwork):
    """A detector whose decoder is also asked for tracks.

    Attributes:
        updater: makes the track queries of the next frame.
        search: looks for what they remember.
        enter: takes a track's content into the decoder.
        saves_memory: compute the layers again for the gradient, and keep nothing of them.
    """

    def __init__(
        self, backbone: nn.Module, shape: HeadShape, updater: str, *, frozen: bool = True
    ) -> None:
        """Put a head and an updater with random weights on a backbone.

        Args:
            backbone: (B, 3, H, W) -> maps; has `channels` and `strides`.
            shape: of the head, which is deformable.
            updater: a name from `UPDATERS`.
            frozen: the backbone does not learn.
        """
        if shape.kind != DEFORMABLE:
            raise ValueError("track queries need a deformable head")
        super().__init__(backbone, shape, frozen=frozen)
        self.updater = UPDATERS[updater](shape.dim)
        self.search = Search(shape.dim)
        self.enter = nn.Linear(shape.dim, shape.dim)
        nn.init.normal_(self.enter.bias, std=MARK)
        self.saves_memory = False
        for module in self.head.modules():
            if isinstance(getattr(module, "dropout", None), float):
                module.dropout = 0.0  # a track that forgets at random is lost

    def no_tracks(self) -> TrackQueries:
        """The tracks of a picture of which nothing is known."""
        empty = self.enter.weight.new_zeros(0, self.shape.dim)
        return TrackQueries(empty, empty[:, :4], self.updater.begin(empty))

    def ask(self, picture: Picture, tracks: Sequence[TrackQueries]) -> Answer:
        """Find objects and follow the tracks of each picture; padding follows the fewer ones."""
        maps = picture.maps or self.look(picture.pixels)
        stacked, there = stack_tracks(tracks)
        given = (picture.pixels, picture.mask, maps, stacked, there)
        if self.saves_memory and torch.is_grad_enabled():
            answer: Answer = checkpoint(self._decode, *given, use_reentrant=False)
            return answer
        return self._decode(*given)

    def _decode(
        self, pixels: Tensor, mask: Tensor | None, maps: Maps, tracks: TrackQueries, there: Tensor
    ) -> Answer:
        model = self.head.model
        start: list[Tensor] = []
        entered: list[Tensor] = []
        alike = Resemblance(*[pixels.new_zeros(0)] * 3)

        def note(_: nn.Module, args: Any, given: dict[str, Any]) -> None:  # noqa: ANN401 - torch's
            entered.append(given["inputs_embeds"])

        def inject(_: nn.Module, args: Any, given: dict[str, Any]) -> Any:  # noqa: ANN401 - torch's
            nonlocal alike
            if there.shape[1]:
                given, alike = self._inject(given, entered[0], tracks, there)
            start.append(given["reference_points"])
            return args, given

        hooks = (
            model.encoder.register_forward_pre_hook(note, with_kwargs=True),
            model.decoder.register_forward_pre_hook(inject, with_kwargs=True),
        )
        model.backbone.maps = maps
        try:
            out = model(pixel_values=pixels, pixel_mask=mask)
        finally:
            model.backbone.maps = ()
            for hook in hooks:
                hook.remove()
        before = [start[0], *out.intermediate_reference_points[:, :-1].unbind(1)]
        hidden = out.intermediate_hidden_states.unbind(1)
        logits = [layer(one) for layer, one in zip(self.head.class_embed, hidden, strict=False)]
        boxes = [
            (layer(one) + inverse_sigmoid(reference)).sigmoid()
            for layer, one, reference in zip(self.head.bbox_embed, hidden, before, strict=False)
        ]
        proposed = out.enc_outputs_class, out.enc_outputs_coord_logits
        return Answer(torch.stack(logits), torch.stack(boxes), hidden[-1], *proposed, alike)

    def _inject(
        self, given: dict[str, Any], looks: Tensor, tracks: TrackQueries, there: Tensor
    ) -> tuple[dict[str, Any], Resemblance]:
        """The decoder's arguments with the tracks behind its own queries.

        Tracks look for themselves among the `looks` (B, S, D) that enter the encoder, which mixes
        in where each place is: of two that meet, where they were before says nothing.

        Queries that detect hear the tracks, so that they leave tracked objects alone. Tracks hear
        one another only: of two queries in one place, which one speaks up is then not open.
        """
        model = self.head.model
        places = lay_out(given["spatial_shapes_list"], given["valid_ratios"])
        around = Surroundings(looks, places, given["encoder_attention_mask"])
        found, boxes, alike = self.search(tracks.content, tracks.boxes, around)
        waves = model.get_proposal_pos_embed(inverse_sigmoid(boxes))
        place, target = model.pos_trans_norm(model.pos_trans(waves)).chunk(2, dim=-1)
        added = {
            "inputs_embeds": target + self.enter(tracks.content) + found,
            "object_queries_position_embeddings": place,
            "reference_points": boxes,
        }
        given = {
            **given,
            **{name: torch.cat((given[name], value), 1) for name, value in added.items()},
        }
        own = self.shape.queries
        total = own + there.shape[1]
        unheard = torch.zeros(len(there), 1, total, total, device=there.device)
        unheard[:, :, :, own:] = (~there)[:, None, None] * UNHEARD
        unheard[:, :, own:, :own] = UNHEARD
        return {**given, "attention_mask": unheard}, alike

    def begin(self, output: Tensor, boxes: Tensor) -> TrackQueries:
        """Tracks of one picture that begin with these answers (T, D) and boxes (T, 4)."""
        return TrackQueries(output, boxes.detach(), self.updater.begin(output))

    def renew(
        self,
        tracks: Sequence[TrackQueries],
        outputs: Sequence[Tensor],
        boxes: Sequence[Tensor],
        seen: Sequence[Tensor],
    ) -> list[TrackQueries]:
        """What is asked for in the next frame.

        What is seen of one of two tracks that overlap is half of the other, so that both would
        become the same; they stay what they were until they are apart.

        Args:
            tracks: of each picture, also those that have just begun.
            outputs: (T, D) of each, the decoder's answers to them.
            boxes: (T, 4) of each, where the decoder sees them.
            seen: (T,) of each, whether they were seen; the others stay where they were.
        """
        found = [
            TrackQueries(output, torch.where(yes[:, None], box, one.boxes).detach(), (yes,))
            for one, output, box, yes in zip(tracks, outputs, boxes, seen, strict=True)
        ]
        stacked, there = stack_tracks(tracks)
        if not there.shape[1]:
            return list(tracks)
        now, _ = stack_tracks(found)
        place = self.head.model.get_proposal_pos_embed(inverse_sigmoid(now.boxes))
        shown = Seen(now.content, place, now.memory[0], there)
        content, memory = self.updater(stacked.content, stacked.memory, shown)
        counts = [len(one.boxes) for one in tracks]
        renewed = unstack_tracks(TrackQueries(content, now.boxes, memory), counts)
        mingled = map(find_mingled, boxes, seen)
        return [
            new.keep(old, rows) for new, old, rows in zip(renewed, tracks, mingled, strict=True)
        ]


def find_mingled(boxes: Tensor, seen: Tensor) -> Tensor:
    """(T,) which tracks overlap with another one; boxes (T, 4), and (T,) which are seen."""
    corners = box_convert(boxes.detach().float(), "cxcywh", "xyxy")
    overlap = box_iou(corners, corners).fill_diagonal_(0)
    return ((overlap >= MINGLED) & seen[:, None] & seen).any(-1)
