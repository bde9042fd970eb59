"""Follows objects through a clip with track queries: what a network answers, and what it means."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from mot_dinov3.io.checkpoint import CheckpointConfig
from mot_dinov3.perception.backends.problems import describe_run_problem
from mot_dinov3.perception.detectors.decode import suppress
from mot_dinov3.perception.detectors.detr_networks import find_stride
from mot_dinov3.perception.detectors.letterbox import InputFit, fit, input_size, letterbox
from mot_dinov3.values import (
    CONFIRMED,
    LOST,
    BoolArray,
    Detections,
    DoubleArray,
    FloatArray,
    IntArray,
    Tracks,
)
from mot_dinov3.values.boxes import cxcywh_to_xyxy, iou_matrix

if TYPE_CHECKING:
    import torch

    from mot_dinov3.nets.motr.network import Answer, MotrNetwork
    from mot_dinov3.nets.motr.tracks import TrackQueries
    from mot_dinov3.values import Image


Values = TypeVar("Values", bound=NDArray[Any])


@dataclass(frozen=True, slots=True)
class QueryRules:
    """When tracks begin and end.

    Attributes:
        birth: least score of a detection that begins a track.
        keep: least score of a track that is seen.
        birth_iou: overlap with a track, or with a better detection, from which on none begins.
        max_lost_s: time for which a track that is not seen is kept.
        classes: ids of the classes that tracks begin with, None for all.
    """

    birth: float = 0.5
    keep: float = 0.5
    birth_iou: float = 0.7
    max_lost_s: float = 1.2
    classes: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    """What the network says of all queries in a frame, in pixels of the picture."""

    xyxy: FloatArray
    score: FloatArray
    class_id: IntArray


class QueryTracker:
    """Tracks the frames of one clip.

    Args:
        network: in evaluation mode, on its device.
        config: of its checkpoint.
        rules: when tracks begin and end.

    Attributes:
        queries: what the next frame is asked for.
        ids: (T,) the identity of each of them.
        initiated: how many tracks there were so far.
    """

    def __init__(self, network: MotrNetwork, config: CheckpointConfig, rules: QueryRules) -> None:
        self._network, self._config, self._rules = network, config, rules
        self.queries: TrackQueries = network.no_tracks()
        self.ids: IntArray = np.empty(0, np.int64)
        self.initiated = 0
        self._xyxy: FloatArray = np.empty((0, 4), np.float32)
        self._class_id: IntArray = np.empty(0, np.int64)
        self._score: FloatArray = np.empty(0, np.float32)
        self._seen_s: DoubleArray = np.empty(0, np.float64)

    def step(self, image: Image, time_s: float) -> tuple[Detections, Tracks]:
        """Find and follow objects in the next picture (H, W, 3) of a clip.

        Raises:
            DeviceFullError, ModelError: the network does not run.
        """
        with self._running():
            answer, how = self._ask(image)
            return self._follow(answer, how, time_s)

    def warm_up(self, image: Image) -> None:
        """Make the slow first calls; nothing is remembered of the picture.

        Raises:
            DeviceFullError, ModelError: the network does not run.
        """
        with self._running():
            self._ask(image)

    @contextmanager
    def _running(self) -> Iterator[None]:
        """Runs the network without gradients, and tells the user of what it raises."""
        import torch

        try:
            with torch.inference_mode():
                yield
        except RuntimeError as error:
            raise describe_run_problem("tracker", "torch", str(self._device), error) from error

    @property
    def _device(self) -> torch.device:
        return self._network.enter.weight.device

    def _ask(self, image: Image) -> tuple[Answer, InputFit]:
        """What the network says of a picture, and how the picture lies in its input."""
        import torch

        from mot_dinov3.nets.motr.network import Picture

        height, width = image.shape[:2]
        longest, stride = self._config.sizes["longest_px"], find_stride(self._network)
        how = fit((width, height), input_size((width, height), longest, stride))
        mean, std = (np.array(one, np.float32) for one in (self._config.mean, self._config.std))
        shares = (letterbox(image, how) - mean[:, None, None]) / std[:, None, None]
        pixels = torch.from_numpy(shares).to(self._device)
        return self._network.ask(Picture(pixels), [self.queries]), how

    def _follow(self, answer: Answer, how: InputFit, time_s: float) -> tuple[Detections, Tracks]:
        import torch

        network, rules, device = self._network, self._rules, self._device
        found = self._read(answer.logits[-1][0], answer.boxes[-1][0], how)
        queries = network.shape.queries
        old = np.arange(queries, len(found.score))
        seen = self._find_seen(found, old)
        born = self._choose_births(found, old[seen])
        kept = np.flatnonzero(seen | (time_s - self._seen_s <= rules.max_lost_s))
        rows = torch.from_numpy(np.concatenate((old[kept], born))).to(device)
        output, boxes = answer.output[0][rows], answer.boxes[-1][0][rows]
        begun = network.begin(output[len(kept) :], boxes[len(kept) :])
        tracks = self.queries.take(torch.from_numpy(kept).to(device)).join(begun)
        shown = np.concatenate((seen[kept], np.ones(len(born), np.bool_)))
        yes = torch.from_numpy(shown).to(device)
        self.queries = network.renew([tracks], [output], [boxes], [yes])[0]
        self._note(found, (kept, np.concatenate((old[kept], born))), shown, time_s)
        return self._describe(shown)

    def _read(self, logits: torch.Tensor, boxes: torch.Tensor, how: InputFit) -> _Found:
        """Scores, classes and boxes of all queries."""
        score, best = logits.float().sigmoid().max(-1)
        height, width = how.size
        share = boxes.float().cpu().numpy() * np.array([width, height] * 2, np.float32)
        xyxy = how.to_picture(cxcywh_to_xyxy(share))
        return _Found(xyxy, score.cpu().numpy(), best.cpu().numpy())

    def _find_seen(self, found: _Found, old: IntArray) -> BoolArray:
        """(T,) the tracks that are seen: sure, and the surest of those in one place.

        One that a surer track hides keeps what it remembers (Meinhardt et al. 2022,
        "TrackFormer", section 3.2, suppresses such tracks).
        """
        seen = np.zeros(len(old), np.bool_)
        rows = np.flatnonzero(found.score[old] >= self._rules.keep)
        best = suppress(found.xyxy[old[rows]], found.score[old[rows]], self._rules.birth_iou)
        seen[rows[best]] = True
        return seen

    def _choose_births(self, found: _Found, seen: IntArray) -> IntArray:
        """Detections that begin a track: sure, and not on a track that is `seen`."""
        rules, queries = self._rules, self._network.shape.queries
        sure = found.score[:queries] >= rules.birth
        if rules.classes is not None:
            sure &= np.isin(found.class_id[:queries], list(rules.classes))
        sides = found.xyxy[:queries, 2:] - found.xyxy[:queries, :2]
        sure &= (sides > 0).all(axis=1)
        rows = np.flatnonzero(sure)
        taken = iou_matrix(found.xyxy[rows], found.xyxy[seen]).max(axis=1, initial=0)
        rows = rows[taken < rules.birth_iou]
        return np.sort(rows[suppress(found.xyxy[rows], found.score[rows], rules.birth_iou)])

    def _note(
        self, found: _Found, rows: tuple[IntArray, IntArray], shown: BoolArray, time_s: float
    ) -> None:
        """Remember where tracks were seen last: `rows` among the tracks, and among the queries."""
        kept, asked = rows
        births = len(asked) - len(kept)
        first = self.initiated + 1
        self.ids = np.concatenate((self.ids[kept], np.arange(first, first + births)))
        self.initiated += births

        hidden = np.flatnonzero(~shown[: len(kept)])
        rest = hidden, kept[hidden]
        self._xyxy = _keep(self._xyxy, found.xyxy[asked], rest)
        self._score = _keep(self._score, found.score[asked], rest)
        self._class_id = _keep(self._class_id, found.class_id[asked], rest)
        self._seen_s = _keep(self._seen_s, np.full(len(asked), time_s), rest)

    def _describe(self, shown: BoolArray) -> tuple[Detections, Tracks]:
        """What was seen, and all tracks; an empty box is a track at the border, and is lost."""
        sides = self._xyxy[:, 2:] - self._xyxy[:, :2]
        shown = shown & (sides > 0).all(axis=1)
        rows = np.flatnonzero(shown)
        detections = Detections(self._xyxy[rows], self._score[rows], self._class_id[rows])
        place = np.full(len(shown), -1, np.int64)
        place[rows] = np.arange(len(rows))
        tracks = Tracks(
            self.ids,
            self._xyxy,
            self._score,
            self._class_id,
            np.where(shown, CONFIRMED, LOST).astype(np.int8),
            np.zeros(len(shown), np.bool_),
            place,
        )
        return detections, tracks


def _keep(old: Values, new: Values, rest: tuple[IntArray, IntArray]) -> Values:
    """The new values, but the old ones in some places: `rest` is these, and their old rows."""
    places, rows = rest
    new[places] = old[rows]
    return new
