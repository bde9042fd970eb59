"""Learning to tell tracks apart by the maps that a detector has computed anyway.

The backbone stays as it is, so every box is described once, by the code that describes it in
tracking. Boxes of the truth are moved a little first, as those of a detector are.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import normalize

from mot_dinov3.config import DetectorConfig, DeviceConfig
from mot_dinov3.evaluation.reid.gate import suggest_memory_gate
from mot_dinov3.evaluation.reid.ranking import Pairs, cosine_distances, rank
from mot_dinov3.nets.reid.linear import LinearHead
from mot_dinov3.perception.backends.choice import TORCH
from mot_dinov3.perception.detectors.detr import DetrDetector, choose
from mot_dinov3.perception.detectors.detr_networks import PROBE
from mot_dinov3.perception.detectors.detr_source import DetrSource
from mot_dinov3.perception.features.gates import GATE
from mot_dinov3.perception.features.shared import SharedEmbedder
from mot_dinov3.perception.features.shared_head import MATRIX, OFFSET
from mot_dinov3.runtime.device import choose_device
from mot_dinov3.training.recipes.base import Assessment, BatchSource, NumberedBatches
from mot_dinov3.training.recipes.reid import supervised
from mot_dinov3.training.recipes.reid.clips import TrackLesson, part_tracks
from mot_dinov3.training.recipes.reid.learning import LearningNetwork, Weighting
from mot_dinov3.training.recipes.reid.tracks import Cutting, read_tracks
from mot_dinov3.values import FloatArray, Frame

if TYPE_CHECKING:
    from mot_dinov3.training.recipes.reid.recipe import ReidRecipe

DIM = 128
MOVED = 0.05
"""Deviation of the corners of a box that is learned from, as a share of its sides."""


@dataclass(frozen=True, slots=True)
class SharedLesson:
    """What a run learns from and is measured on.

    Attributes:
        tracks: what the maps say of boxes, (N, values) float32 in the place of pixels.
        probe: (C,) of the backbone.
    """

    tracks: TrackLesson
    probe: Tensor

    @property
    def training(self) -> Any:  # noqa: ANN401 - a `LoadedCrops`, as every lesson has
        """What is learned from."""
        return self.tracks.training


class SharedNetwork(LearningNetwork):
    """A head with its classifier.

    Attributes:
        network: a `LinearHead`.
        probe: of the backbone whose maps it reads.
    """

    probe: Tensor

    def __init__(
        self, network: LinearHead, classes: int, weighting: Weighting, probe: Tensor
    ) -> None:
        super().__init__(network, classes, weighting, torch.empty(0))
        self.register_buffer("probe", probe)

    def list_kept(self) -> dict[str, Tensor]:
        """All that a checkpoint holds: the head as one matrix, and whose maps it reads."""
        matrix, offset = self.network.fold()
        return {MATRIX: matrix, OFFSET: offset, PROBE: self.probe}


class MapReader:
    """Describes the boxes of frames by the maps of a detector.

    Args:
        run: the folder of a run of `train detector`.
        seed: decides how boxes are moved.

    Raises:
        ModelError: the detector cannot be used.
    """

    def __init__(self, run: Path, seed: int) -> None:
        device, settings = choose_device("auto"), DeviceConfig(backend=TORCH)
        source = DetrSource(run, choose(device, settings), device, settings)
        self._detector = DetrDetector(DetectorConfig(imgsz=source.longest_px), source)
        self._embedder = SharedEmbedder(self._detector)
        self._rng = np.random.default_rng([seed, 43])
        self.probe = torch.from_numpy(source.probe)

    def look(self, frame: Frame, xyxy: FloatArray) -> list[NDArray[Any] | None]:
        """What the maps say of boxes; see `tracks.Look`."""
        sides = np.tile(xyxy[:, 2:] - xyxy[:, :2], 2)
        moved = xyxy + sides * self._rng.normal(0, MOVED, xyxy.shape)
        self._detector.detect(frame)
        said = self._embedder.describe(frame.image, moved.astype(np.float32))
        return [one if np.isfinite(one).all() else None for one in said]


def open_data(recipe: ReidRecipe) -> SharedLesson:
    """Describe the boxes of all tracks, and keep some tracks apart where there are enough.

    Raises:
        InputError: there are no sequences, or too few tracks.
        ModelError: the detector cannot be used.
    """
    reader = MapReader(Path(recipe.shared).expanduser(), recipe.seed)
    cutting = Cutting(recipe.clip_len, recipe.crop_factor, recipe.hw)
    loaded = read_tracks(Path(recipe.video).expanduser(), cutting, reader.look)
    return SharedLesson(part_tracks(recipe, loaded), reader.probe)


def build(recipe: ReidRecipe, data: SharedLesson) -> SharedNetwork:
    """A head with random weights."""
    training = data.training
    head = LinearHead(training.pixels.shape[1], DIM)
    return SharedNetwork(head, len(training.crops.names), supervised.weigh(recipe), data.probe)


def supply_batches(
    recipe: ReidRecipe, data: SharedLesson, rank: int
) -> BatchSource[tuple[Tensor, Tensor]]:
    """Batches of some tracks with as many boxes each."""
    identity = data.training.crops.identity

    def make(number: int) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng([recipe.seed, 47, number])
        rows = supervised.sample_identities(rng, identity, recipe.bs, recipe.instance)
        return data.training.pixels[rows], torch.from_numpy(identity[rows])

    return NumberedBatches(make)


def assess(recipe: ReidRecipe, model: SharedNetwork, data: SharedLesson) -> Assessment | None:
    """Measure how boxes of a track's first half find those of its second, among other tracks."""
    held = data.tracks.held
    identity = held.crops.identity
    if len(np.unique(identity)) < 2:
        return None
    with torch.no_grad():
        device = model.probe.device
        vectors = normalize(model.network(held.pixels.to(device)), dim=1).cpu().numpy()
    _, first, number, count = np.unique(
        identity, return_index=True, return_inverse=True, return_counts=True
    )
    early = np.arange(len(identity)) - first[number] < count[number] / 2
    asked, sought = vectors[early], vectors[~early]
    same = identity[early][:, None] == identity[~early]
    found = rank(cosine_distances(asked, sought), Pairs(same, np.zeros_like(same)))
    gate = suggest_memory_gate(vectors, identity, early)
    values = {
        "mAP": found.mean_ap,
        "rank-1": found.rank1,
        "gate splits": gate.splits,
        "gate merges": gate.merges,
    }
    return Assessment(values, best="mAP", thresholds={GATE: round(gate.cosine, 4)})
