"""Learning from videos whose tracks are known: a clip of a track is one example.

What each picture of a clip counts is learned beside the network (Gao and Nevatia, "Revisiting
temporal modeling for video-based person ReID", 2018).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from mot_dinov3.evaluation.reid.gate import suggest_gate
from mot_dinov3.evaluation.reid.ranking import Pairs, Ranking, cosine_distances, rank
from mot_dinov3.io.checkpoint import load_checkpoint
from mot_dinov3.nets.reid.network import ReidFeatures, ReidNetwork
from mot_dinov3.nets.reid.video import TemporalAttention
from mot_dinov3.perception.features.gates import GATE
from mot_dinov3.perception.features.reid_networks import CLIP, KIND, read_attention
from mot_dinov3.training.recipes.base import Assessment, BatchSource, NumberedBatches
from mot_dinov3.training.recipes.reid import supervised
from mot_dinov3.training.recipes.reid.augment import augment, build_transforms
from mot_dinov3.training.recipes.reid.learning import (
    LearningNetwork,
    Weighting,
    blend,
    embed_pixels,
)
from mot_dinov3.training.recipes.reid.pictures import LoadedCrops
from mot_dinov3.training.recipes.reid.sets import FEWEST_HELD_OUT, hold_out
from mot_dinov3.training.recipes.reid.tracks import Cutting, read_tracks
from mot_dinov3.values import FloatArray, IntArray

if TYPE_CHECKING:
    from mot_dinov3.training.recipes.reid.recipe import ReidRecipe

log = logging.getLogger("mot_dinov3")

FEWEST_CLIPS, MOST_EACH = 4, 4
"""Clips of a batch, and most of one identity there."""


@dataclass(frozen=True, slots=True)
class TrackLesson:
    """What a run learns from and is measured on.

    Attributes:
        training: pictures in order of tracks, and those of one in order of time.
        held: the same of tracks that are measured on; may be empty.
    """

    training: LoadedCrops
    held: LoadedCrops


class ClipNetwork(LearningNetwork):
    """A network with what pools the pictures of a clip.

    Attributes:
        attention: says what each picture of a clip counts, from its unit vector.
    """

    def __init__(
        self, network: ReidNetwork, classes: int, weighting: Weighting, samples: Tensor
    ) -> None:
        super().__init__(network, classes, weighting, samples)
        self.attention = TemporalAttention(network.dim)

    @property
    def fresh(self) -> Iterator[nn.Parameter]:
        """The weights beside the network that begin from nothing and decay."""
        return chain(super().fresh, self.attention.parameters())

    def list_kept(self) -> dict[str, Tensor]:
        """The weights of the attention, by the names that a checkpoint gives them."""
        return {f"{CLIP}{name}": value for name, value in self.attention.state_dict().items()}

    def pool(self, frames: ReidFeatures, count: int) -> ReidFeatures:
        """Features of `count` clips from those of all their pictures, clip by clip."""
        unit = normalize(frames.vectors.float(), dim=1)
        weights = self.attention.weigh(unit.view(count, -1, unit.shape[1]))
        pooled, necked, vectors = (
            torch.einsum("bt,btd->bd", weights, some.float().view(*weights.shape, -1))
            for some in (frames.pooled, frames.necked, unit)
        )
        return ReidFeatures(pooled, necked, vectors)


def open_data(recipe: ReidRecipe) -> TrackLesson:
    """Cut the tracks out, and keep some apart where there are enough.

    Raises:
        InputError: there are no sequences, or too few tracks.
    """
    cutting = Cutting(recipe.clip_len, recipe.crop_factor, recipe.hw)
    return part_tracks(recipe, read_tracks(Path(recipe.video).expanduser(), cutting))


def part_tracks(recipe: ReidRecipe, loaded: LoadedCrops) -> TrackLesson:
    """Keep some tracks apart where there are enough."""
    count = loaded.crops.identities
    least = (FEWEST_HELD_OUT + 0.5) / count if count >= 2 * FEWEST_HELD_OUT else 0.0
    share = max(recipe.holdout, least) if recipe.holdout else 0.0
    training, held = hold_out(loaded, share, recipe.seed)
    if not len(held.crops):
        log.warning("Nothing is measured, and no cosine gate is found: too few tracks.")
    return TrackLesson(training, held)


def build(recipe: ReidRecipe, data: TrackLesson) -> ClipNetwork:
    """Build the network and its attention with the weights that they begin with."""
    samples = supervised.draw_samples(recipe, data.training.pixels)
    network, weighting = supervised.begin(recipe, samples), supervised.weigh(recipe)
    out: ClipNetwork = ClipNetwork(network, len(data.training.crops.names), weighting, samples).to(
        memory_format=torch.channels_last
    )
    start = Path(recipe.init).expanduser()
    if start.is_dir() and (weights := read_attention(load_checkpoint(start, KIND))):
        out.attention.load_state_dict({k: torch.from_numpy(v) for k, v in weights.items()})
    return out


def supply_batches(
    recipe: ReidRecipe, data: TrackLesson, rank: int
) -> BatchSource[tuple[Tensor, Tensor]]:
    """Batches of clips of some tracks; a clip is pictures that follow each other."""
    transforms = build_transforms(recipe.hw, recipe.erase, recipe.colour)
    identity = data.training.crops.identity
    clips = max(FEWEST_CLIPS, recipe.bs // recipe.clip_len)
    each = min(recipe.instance, MOST_EACH, max(2, clips // FEWEST_CLIPS))
    starts = find_starts(identity, recipe.clip_len)

    def make(number: int) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng([recipe.seed, 41, number])
        first = supervised.sample_identities(rng, starts, clips, each)
        rows = extend_clips(identity, first, recipe.clip_len)
        pixels = augment(data.training.pixels[rows.ravel()], transforms)
        return pixels, torch.from_numpy(identity[first])

    return NumberedBatches(make)


def find_starts(identity: IntArray, length: int) -> IntArray:
    """(N,) the identity of each picture that a clip of its track can begin with, else -1.

    Args:
        identity: (N,) ascending.
        length: of a clip; a shorter track begins one with its first picture.
    """
    _, first, count = np.unique(identity, return_index=True, return_counts=True)
    last = first + np.maximum(count - length, 0)
    return np.where(np.arange(len(identity)) <= last[_number(identity)], identity, -1)


def extend_clips(identity: IntArray, first: IntArray, length: int) -> IntArray:
    """(C, length) rows of the clips that begin with the rows `first` (C,).

    A track that is shorter is repeated.
    """
    _, begin, count = np.unique(identity, return_index=True, return_counts=True)
    track = _number(identity)[first, None]
    place = first[:, None] - begin[track] + np.arange(length)
    return np.asarray(begin[track] + place % count[track])


def _number(identity: IntArray) -> IntArray:
    return np.asarray(np.unique(identity, return_inverse=True)[1])


def assess(recipe: ReidRecipe, model: ClipNetwork, data: TrackLesson) -> Assessment | None:
    """Measure how clips, and single pictures, find those of the same track at other times."""
    identity = data.held.crops.identity
    rows = split_clips(identity, recipe.clip_len)
    if len(np.unique(identity[rows])) < 2:
        return None
    frames = torch.from_numpy(embed_pixels(blend(model, recipe.blend), data.held.pixels)[rows])
    with torch.no_grad():
        attended = model.attention(frames.to(next(model.attention.parameters()).device)).cpu()
    who, middle = identity[rows[:, 0]], frames[:, recipe.clip_len // 2]
    clip, mean, single = (
        _search(normalize(some, dim=1).numpy(), who) for some in (attended, frames.mean(1), middle)
    )
    same = who[:, None] == who
    cosines = middle.numpy() @ middle.numpy().T
    gate = suggest_gate(cosines[same & ~np.eye(len(who), dtype=bool)], cosines[~same])
    values = {
        "mAP": clip.mean_ap,
        "rank-1": clip.rank1,
        "mean mAP": mean.mean_ap,
        "picture mAP": single.mean_ap,
        "picture rank-1": single.rank1,
        "gate splits": gate.splits,
        "gate merges": gate.merges,
    }
    return Assessment(values, best="mAP", thresholds={GATE: round(gate.cosine, 4)})


def split_clips(identity: IntArray, length: int) -> IntArray:
    """(C, length) rows of clips that share no picture; tracks with fewer than two are left out."""
    _, begin, count = np.unique(identity, return_index=True, return_counts=True)
    first = [np.empty(0, np.int64)]
    for start, some in zip(begin.tolist(), count.tolist(), strict=True):
        if some >= 2 * length:
            first.append(np.arange(start, start + some - length + 1, length))
    return np.asarray(np.concatenate(first)[:, None] + np.arange(length))


def _search(vectors: FloatArray, who: IntArray) -> Ranking:
    """Let every vector ask for the others."""
    pairs = Pairs(who[:, None] == who, np.eye(len(who), dtype=bool))
    return rank(cosine_distances(vectors, vectors), pairs)
