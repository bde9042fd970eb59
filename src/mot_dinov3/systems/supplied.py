"""A modular tracker for frames that its caller brings, with boxes and vectors or without.

Models come from a shelf when they are first needed: no detector is loaded where boxes are supplied,
and no embedder where every box comes with a vector.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from mot_dinov3.config import NO_EMBEDDER, OF_DETECTOR, TrackConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.perception.detectors.classes import resolve_classes
from mot_dinov3.systems.assembly import assemble
from mot_dinov3.systems.making import load_searcher
from mot_dinov3.systems.models import Models
from mot_dinov3.systems.shelf import ModelShelf, NoDetector
from mot_dinov3.tracking.camera.factory import camera_class
from mot_dinov3.values import (
    BoolArray,
    Detections,
    Embeddings,
    FloatArray,
    Frame,
    FrameResult,
    IntArray,
    Supplied,
)


class SuppliedTracker:
    """Tracks the frames of one clip, whose boxes are found here or supplied.

    Args:
        config: all stages.
        shelf: where the models come from.
        names: class id -> class name of supplied boxes, where it is known.

    Attributes:
        names: class id -> class name of all boxes so far.
        all_named: whether `names` holds every class that there may be.

    Raises:
        MotError: a policy, a camera motion or another name of `config` is wrong.
    """

    def __init__(
        self, config: TrackConfig, shelf: ModelShelf, names: Mapping[int, str] | None = None
    ) -> None:
        self._config, self._shelf = config, shelf
        self.names: Mapping[int, str] = dict(names or {})
        self.all_named = names is not None
        searcher = load_searcher(config, shelf.device)
        self._core = assemble(config, Models(NoDetector(), searcher=searcher))
        self._has_detector = self._has_embedders = False
        self._size = 0

    @property
    def confirmed(self) -> int:
        """How many identities there were so far."""
        return self._core.counts.confirmed

    @property
    def models(self) -> Mapping[str, str]:
        """Role -> title of the model in it, of those that are loaded."""
        return self._core.models

    def learn_names(self, names: Mapping[int, str], *, every: bool) -> None:
        """Add names of classes.

        Args:
            names: class id -> class name.
            every: whether they are all that there may be.
        """
        if not names.items() <= self.names.items():
            self.names = {**self.names, **names}
        self.all_named |= every

    def detect(self, frame: Frame) -> FrameResult:
        """Find the objects of a frame and track them.

        Raises:
            MotError: a model cannot be loaded.
        """
        if not self._has_detector or not self._has_embedders:
            self._load(frame, detector=True)
            self.learn_names(self._core.names, every=True)
        return self._core.step(frame)

    def take(
        self,
        frame: Frame,
        detections: Detections,
        vectors: FloatArray | None = None,
        *,
        seen: bool = True,
    ) -> FrameResult:
        """Track the boxes that are supplied for a frame.

        Boxes below the least score, of a class that is not wanted or without area start and
        continue no track.

        Args:
            frame: the picture.
            detections: its N boxes.
            vectors: (N, D) unit rows, NaN in rows without one; None where there are none.
            seen: whether there is a picture to look at.

        Returns:
            The result; its detections are all N, and rows of detections count all of them.

        Raises:
            MotError: a model cannot be loaded, or the settings need what there is not.
        """
        rows = self._choose(detections).nonzero()[0]
        rows = rows[self._core.limit.choose(detections[rows])]
        supplied = Supplied(detections[rows], None if vectors is None else vectors[rows])
        self._load_for(frame, supplied, seen=seen)
        return restore_rows(self._core.step(frame, supplied), detections, rows)

    def pace(self, other_ms: float) -> None:
        """Record what the last frame took in all stages beside embedding, in milliseconds."""
        self._core.pace(other_ms)

    def _choose(self, detections: Detections) -> BoolArray:
        """(N,) the boxes that a detector of this configuration would hand over."""
        config, xyxy = self._config.detector, detections.xyxy
        kept = detections.score >= np.float32(config.floor)
        kept &= (xyxy[:, 2:] > xyxy[:, :2]).all(axis=1)
        if config.classes.strip():
            kept &= np.isin(detections.class_id, sorted(self._find_wanted(detections.class_id)))
        return np.asarray(kept, np.bool_)

    def _find_wanted(self, present: IntArray) -> frozenset[int]:
        """The class ids that `--classes` asks for, among those that are named or `present`."""
        text = self._config.detector.classes
        words = {word.strip().lower() for word in text.split(",")}
        if self.all_named:
            return resolve_classes(text, self.names) or frozenset()
        if not self.names and not all(word.isdecimal() for word in words):
            raise UsageError(
                f"classes='{text}' names a class, but these boxes have class numbers alone.",
                fix="Give their names, names={0: 'person'}, or numbers, classes='0'.",
            )
        called = {number: self.names.get(number, "").lower() for number in set(present.tolist())}
        return frozenset(n for n, name in called.items() if name in words or str(n) in words)

    def _load_for(self, frame: Frame, supplied: Supplied, *, seen: bool) -> None:
        """Load what the boxes at hand need.

        Raises:
            UsageError: something needs a detector or a picture that is not there.
            MotError: a model cannot be loaded.
        """
        embedder, cmc = self._config.embedder.embedder, self._config.motion.cmc
        named = {"embedder": embedder, "cheap_evidence": self._config.cheap.cheap_evidence}
        for name in (name for name, value in named.items() if value in OF_DETECTOR):
            raise UsageError(
                f"{name}='{named[name]}' reads the network of a detector, and none looked at this "
                "picture.",
                fix=f"Name another {name}, or let track(image) find the boxes.",
            )
        lacking = embedder != NO_EMBEDDER and not supplied.known.all()
        if not seen and lacking and supplied.vectors is None:
            raise UsageError(
                f"embedder='{embedder}' looks at pictures, and update() got none.",
                fix="Give the image, embeddings=, or Tracker(embedder='none') for motion alone.",
            )
        camera = camera_class(cmc)
        if not seen and camera is not None and camera.needs_pixels:
            raise UsageError(
                f"cmc='{cmc}' looks at pictures, and update() got none.",
                fix="Give the image, or leave out cmc.",
            )
        if seen and lacking and not self._has_embedders:
            self._load(frame, detector=False)
        self._check_size(supplied)

    def _check_size(self, supplied: Supplied) -> None:
        """Refuse vectors of another length than those before, or than those of the embedder."""
        if not supplied.known.any() or supplied.vectors is None:
            return
        own, size = self._core.embedder, supplied.vectors.shape[1]
        if own is not None and own.dim != size:
            raise UsageError(
                f"The embeddings have length {size}, but those of {own.title} have {own.dim}.",
                fix="Give vectors of the same model, or Tracker(embedder='none').",
            )
        if self._size not in (0, size):
            raise UsageError(
                f"The embeddings have length {size}, but those before had {self._size}.",
                fix="Give vectors of one model to one tracker.",
            )
        self._size = size

    def _load(self, frame: Frame, *, detector: bool) -> None:
        """Go on with the embedder, perhaps with the detector, and make their slow first calls."""
        core = assemble(self._config, self._shelf.choose(self._config, detector=detector))
        core.take_over(self._core)
        core.warm_up(frame)
        self._core = core
        self._has_detector |= detector
        self._has_embedders = True


def restore_rows(result: FrameResult, every: Detections, rows: IntArray) -> FrameResult:
    """The result for some rows of a frame's boxes as one for all of them.

    Args:
        result: of the boxes `rows`.
        every: all N boxes.
        rows: (M,) which of them were tracked.
    """
    if len(rows) == len(every):
        return result
    tracks, embeddings = result.tracks, result.embeddings
    source = np.append(rows, -1)[tracks.detection]  # -1, the last one, stays -1
    if embeddings is not None:
        vectors = np.zeros((len(every), embeddings.vectors.shape[1]), np.float32)
        vectors[rows] = embeddings.vectors
        fresh, valid = np.zeros((2, len(every)), np.bool_)
        fresh[rows], valid[rows] = embeddings.fresh, embeddings.valid
        embeddings = Embeddings(vectors, fresh, valid, rows[embeddings.poor])
    return replace(
        result,
        detections=every,
        tracks=replace(tracks, detection=source),
        decisions=None,
        embeddings=embeddings,
    )
