"""A clip followed as a tracker would, and what is wrong with it; identities are kept by matching.

Zeng et al. 2022, "MOTR", sections 3.2 and 3.5: an object that is followed is asked of its own track
query, and the queries that detect are asked only for the others. That holds from the second layer
on: the first one is asked for all, as it has not heard yet what is followed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torchvision.ops import box_convert, generalized_box_iou_loss, sigmoid_focal_loss

from mot_dinov3.nets.detr.network import measure_proposals
from mot_dinov3.nets.motr.network import Answer, MotrNetwork, Picture
from mot_dinov3.nets.motr.tracks import TrackQueries
from mot_dinov3.training.recipes.detector.caching import normalise

FOCAL, CORNERS, OVERLAP = 2.0, 5.0, 2.0
"""Weights of the losses, and of the costs of matching."""
SURE = 0.5
"""Score from which on a query that detects nothing has wrongly begun a track."""
ON_IT = 0.5
"""Overlap from which on a track is on its object."""
DROPPED = 0.2
"""Part of the tracks that is forgotten after a frame, so that their objects are found again."""
MISLED, NEAR = 0.2, 3.0
"""Part of the tracks that are looked for where a neighbour is, and how near one is, in boxes."""
NO_OBJECT = -1
WARMTH = 0.2
"""Temperature of the loss that tells identities apart."""
MOST_OBJECTS = 1 << 20
"""More than there are in any clip, so that numbers of several clips do not meet."""
Label = dict[str, Tensor]


@dataclass(frozen=True, slots=True)
class Followed:
    """The tracks of one picture.

    Attributes:
        tracks: what they ask for.
        ids: (T,) int64 the object of each, `NO_OBJECT` for one that was begun wrongly.
    """

    tracks: TrackQueries
    ids: Tensor


def roll_out(
    network: MotrNetwork, moments: Sequence[Mapping[str, Any]], no_grad_first: int
) -> dict[str, Tensor]:
    """Follow the objects of a batch of clips; returns the loss in terms that add up.

    Args:
        network: in training mode.
        moments: of the clips, see `clips.stack_clips`.
        no_grad_first: of so many nothing is learned; they only bring tracks about.
    """
    device = moments[0]["pixels"].device
    looks: list[tuple[Tensor, Tensor]] = []
    none = torch.zeros(0, dtype=torch.int64, device=device)
    followed = [Followed(network.no_tracks(), none) for _ in moments[0]["labels"]]
    sums = dict.fromkeys(
        ("classes", "corners", "overlap", "search", "looks", "proposals"),
        torch.zeros((), device=device),
    )
    asked = 0
    for number, moment in enumerate(moments):
        learns = number >= no_grad_first
        with nullcontext() if learns else torch.no_grad():
            followed = list(map(turn_over, followed, moment["turned"]))
            picture = Picture(normalise(moment["pixels"]), moment["mask"])
            answer = network.ask(picture, [one.tracks for one in followed])
            labels = moment["labels"]
            pairs = match(network, answer, labels, [one.ids for one in followed])
            if learns:
                terms = measure(answer, labels, pairs, [one.ids for one in followed])
                terms |= measure_search(answer, labels, [one.ids for one in followed])
                terms["proposals"] = measure_proposals(answer, labels, network.head.config)
                sums = {name: value + terms[name] for name, value in sums.items()}
                asked += sum(len(one["ids"]) for one in labels)
                looks.append(gather_looks(answer, labels, pairs[-1]))
            if number + 1 < len(moments):
                followed = go_on(network, answer, labels, pairs[-1], followed)
    learned = len(moments) - no_grad_first
    proposals = sums.pop("proposals") / learned
    terms = {name: value / max(asked, 1) for name, value in sums.items()}
    return terms | {"proposals": proposals, "identity": measure_identity(looks)}


def measure_search(
    answer: Answer, labels: Sequence[Label], ids: Sequence[Tensor]
) -> dict[str, Tensor]:
    """What tracks look at and should not, summed over those whose objects are there.

    `search` is the share beside their objects. That falls by leaving out what is far and what is
    no object at all; `looks` asks which of all objects, wherever they are, looks like each.
    """
    sums = {name: answer.logits.new_zeros(()) for name in ("search", "looks")}
    for row, (own, label) in enumerate(zip(ids, labels, strict=True)):
        tracks, objects = find_own(own, label["ids"])
        if len(tracks):
            centre, sides = label["boxes"].split(2, dim=-1)
            away = (answer.alike.places[row][None] - centre[:, None]).abs()
            inside = (away <= sides[:, None] / 2).all(-1).float()
            share = (answer.alike.share[row, tracks].float() * inside[objects]).sum(-1)
            sums["search"] = sums["search"] - share.clamp(min=1e-3).log().sum()
            mean = inside / inside.sum(-1, keepdim=True).clamp(min=1)
            alike = answer.alike.looks[row, tracks].float() @ mean.T
            sums["looks"] = sums["looks"] + cross_entropy(alike, objects, reduction="sum")
    return sums


def gather_looks(answer: Answer, labels: Sequence[Label], pairs: Pairs) -> tuple[Tensor, Tensor]:
    """Answers (N, D) about the objects of a frame, and (N,) a number for each object."""
    outputs, numbers = [], []
    for row, ((queries, objects), label) in enumerate(zip(pairs, labels, strict=True)):
        outputs.append(answer.output[row, queries])
        numbers.append(row * MOST_OBJECTS + label["ids"][objects])
    return torch.cat(outputs), torch.cat(numbers)


def measure_identity(looks: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    """How badly answers about one object are told from those about others (InfoNCE).

    Oord et al. 2018, "Representation learning with contrastive predictive coding", equation 4. A
    detector need not say what an object looks like; one that follows has to.
    """
    output = torch.nn.functional.normalize(torch.cat([one for one, _ in looks]).float(), dim=-1)
    number = torch.cat([one for _, one in looks])
    itself = torch.eye(len(number), dtype=torch.bool, device=number.device)
    same = (number[:, None] == number[None]) & ~itself
    logits = (output @ output.T / WARMTH).masked_fill(itself, -torch.inf)
    told = torch.log_softmax(logits, dim=-1).masked_fill(~same, 0.0).sum(-1)
    counts = same.sum(-1)
    return -(told / counts.clamp(min=1)).sum() / (counts > 0).sum().clamp(min=1)


Pairs = list[tuple[Tensor, Tensor]]
"""For each picture the queries, and the rows of its labels that they are asked for."""


@torch.no_grad()  # type: ignore[untyped-decorator]
def match(
    network: MotrNetwork, answer: Answer, labels: Sequence[Label], ids: Sequence[Tensor]
) -> list[Pairs]:
    """Which query is asked for which object, after each layer."""
    from transformers.loss.loss_deformable_detr import DeformableDetrHungarianMatcher

    matcher = DeformableDetrHungarianMatcher(class_cost=FOCAL, bbox_cost=CORNERS, giou_cost=OVERLAP)
    queries = network.shape.queries
    kept = [find_own(own, label["ids"]) for own, label in zip(ids, labels, strict=True)]
    free = [
        torch.tensor([row for row in range(len(label["ids"])) if row not in set(rows.tolist())])
        .long()
        .to(rows.device)
        for (_, rows), label in zip(kept, labels, strict=True)
    ]
    every = [torch.arange(len(label["ids"]), device=free[0].device) for label in labels]
    out = []
    for layer in range(len(answer.logits)):
        wanted = every if layer == 0 and len(answer.logits) > 1 else free
        some = [
            {name: label[name][rows] for name in ("class_labels", "boxes")}
            for label, rows in zip(labels, wanted, strict=True)
        ]
        said = {
            "logits": answer.logits[layer][:, :queries].float(),
            "pred_boxes": answer.boxes[layer][:, :queries].float(),
        }
        found = matcher(said, some)
        out.append(
            [
                (
                    torch.cat((one.to(rows.device), queries + tracks)),
                    torch.cat((rows[two.to(rows.device)], own)),
                )
                for (one, two), rows, (tracks, own) in zip(found, wanted, kept, strict=True)
            ]
        )
    return out


def find_own(ids: Tensor, objects: Tensor) -> tuple[Tensor, Tensor]:
    """The tracks whose object is there, and its row: of numbers (T,) and objects (N,)."""
    same = (ids[:, None] == objects[None]) & (ids >= 0)[:, None]
    tracks, rows = same.nonzero(as_tuple=True)
    return tracks, rows


def measure(
    answer: Answer, labels: Sequence[Label], pairs: Sequence[Pairs], ids: Sequence[Tensor]
) -> dict[str, Tensor]:
    """Sums over pictures, queries and layers of what is wrong.

    A track that is beside its object should say that it sees nothing: then it keeps what it
    remembers, and does not take another object for its own.
    """
    total = answer.logits.shape[2]
    queries = total - max(len(one) for one in ids)
    there = torch.zeros(answer.logits.shape[1:3], dtype=torch.bool, device=answer.logits.device)
    for row, own in enumerate(ids):
        there[row, : queries + len(own)] = True
    sums = {name: answer.logits.new_zeros(()) for name in ("classes", "corners", "overlap")}
    for layer, found in enumerate(pairs):
        logits = answer.logits[layer].float()
        wanted = torch.zeros_like(logits)
        said, true = [], []
        for row, ((one, two), label) in enumerate(zip(found, labels, strict=True)):
            said.append(answer.boxes[layer][row, one].float())
            true.append(label["boxes"][two])
            good = (one < queries) | is_on(said[-1].detach(), true[-1])
            wanted[row, one[good], label["class_labels"][two][good]] = 1.0
        focal = sigmoid_focal_loss(logits, wanted, alpha=0.25, gamma=2.0)
        boxes, truth = torch.cat(said), torch.cat(true)
        corners = [box_convert(each, "cxcywh", "xyxy") for each in (boxes, truth)]
        sums["classes"] = sums["classes"] + FOCAL * focal[there].sum()
        sums["corners"] = sums["corners"] + CORNERS * (boxes - truth).abs().sum()
        overlap = generalized_box_iou_loss(*corners, reduction="sum")
        sums["overlap"] = sums["overlap"] + OVERLAP * overlap
    return sums


def go_on(
    network: MotrNetwork,
    answer: Answer,
    labels: Sequence[Label],
    pairs: Pairs,
    followed: Sequence[Followed],
) -> list[Followed]:
    """The tracks after a frame: some are forgotten, found objects and errors begin new ones."""
    queries = network.shape.queries
    tracks, ids, rows, seen = [], [], [], []
    for row, (now, label, (one, two)) in enumerate(zip(followed, labels, pairs, strict=True)):
        score, boxes = answer.logits[-1][row].sigmoid().amax(-1), answer.boxes[-1][row]
        begun = one < queries
        wrong = score[:queries] >= SURE
        wrong[one[begun]] = False
        new = torch.cat((one[begun], wrong.nonzero()[:, 0]))
        stays = torch.rand(len(now.ids), device=score.device) >= DROPPED
        old = stays.nonzero()[:, 0]
        own = torch.cat(
            (label["ids"][two[begun]], label["ids"].new_full((int(wrong.sum()),), NO_OBJECT))
        )
        tracks.append(now.tracks.take(old).join(network.begin(answer.output[row, new], boxes[new])))
        ids.append(torch.cat((now.ids[old], own)))
        rows.append(torch.cat((queries + old, new)))
        seen.append(find_seen(boxes[rows[-1]], ids[-1], label, score[rows[-1]]))
    renewed = network.renew(
        tracks,
        [answer.output[row, which] for row, which in enumerate(rows)],
        [answer.boxes[-1][row, which] for row, which in enumerate(rows)],
        seen,
    )
    return [Followed(mislead(one), own) for one, own in zip(renewed, ids, strict=True)]


def turn_over(followed: Followed, turned: Tensor) -> Followed:
    """The tracks where a mirror shows them, if the clip is `turned` () now."""
    across, rest = followed.tracks.boxes.split((1, 3), dim=-1)
    boxes = torch.cat((torch.where(turned, 1 - across, across), rest), dim=-1)
    return replace(followed, tracks=followed.tracks._replace(boxes=boxes))


def mislead(tracks: TrackQueries) -> TrackQueries:
    """Look for some tracks where a neighbour is: what they remember has to tell who they are."""
    boxes = tracks.boxes
    if len(boxes) < 2:
        return tracks
    apart = ((boxes[:, None, :2] - boxes[None, :, :2]) / boxes[:, None, 2:]).norm(dim=-1)
    apart.fill_diagonal_(torch.inf)
    least, nearest = apart.min(dim=1)
    misled = (least <= NEAR) & (torch.rand(len(boxes), device=boxes.device) < MISLED)
    return tracks._replace(boxes=torch.where(misled[:, None], boxes[nearest], boxes))


def find_seen(boxes: Tensor, ids: Tensor, label: Label, score: Tensor) -> Tensor:
    """(T,) whether each track is on its object; a wrong one is seen while it is sure."""
    tracks, own = find_own(ids, label["ids"])
    seen = (ids < 0) & (score >= SURE)
    seen[tracks] = is_on(boxes[tracks], label["boxes"][own])
    return seen


def is_on(boxes: Tensor, truth: Tensor) -> Tensor:
    """(N,) whether boxes overlap the true ones by half; both (N, 4) centre and size."""
    pair = [box_convert(one, "cxcywh", "xyxy") for one in (boxes, truth)]
    low = torch.maximum(pair[0][:, :2], pair[1][:, :2])
    high = torch.minimum(pair[0][:, 2:], pair[1][:, 2:])
    shared = (high - low).clamp(min=0).prod(-1)
    both = sum(((one[:, 2:] - one[:, :2]).prod(-1) for one in pair), -shared)
    return shared >= ON_IT * both
