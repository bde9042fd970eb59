"""A tracker for frames of the caller's own, with its boxes or with a detector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mot_dinov3.errors import UsageError
from mot_dinov3.runs.library.boxes import check_pixels, read_boxes, read_names
from mot_dinov3.runs.library.clock import FrameClock, WorkMeter
from mot_dinov3.runs.library.models import Models
from mot_dinov3.runs.library.pictures import NO_PICTURE, check_image
from mot_dinov3.runs.library.result import Result, ResultMaker
from mot_dinov3.runs.library.settings import (
    build_checked,
    list_keys_of_tracker,
    read_settings,
)
from mot_dinov3.runs.library.vectors import read_embeddings
from mot_dinov3.values import Frame, FrameResult, Image


class Tracker:
    """Keeps the identities of one video or camera, frame by frame.

    Models are loaded when they are first needed: no detector where only `update` is called, and
    no embedder where every box comes with an embedding.
    """

    def __init__(
        self,
        *,
        models: Models | None = None,
        names: Mapping[int, str] | Sequence[str] | None = None,
        **flags: Any,  # noqa: ANN401 - as many kinds as settings have
    ) -> None:
        """Check the settings; nothing is loaded yet.

        Args:
            models: loaded models to share; its own when left out.
            names: class id -> class name of the boxes that `update` gets, or the names in
                order, where the boxes do not bring them.
            flags: any setting of tracking by the name of its flag, `--embed-budget-ms` as
                `embed_budget_ms`. `fps` is the frame rate of the pictures.

        Raises:
            UsageError: there is no such setting, or its value breaks a rule.
            MotError: a name or the device is wrong.
        """
        from mot_dinov3.systems.shelf import ModelShelf

        values = read_settings("Tracker()", flags, list_keys_of_tracker())
        Models.require(models)
        values = models.merge("Tracker()", values) if models is not None else values
        self._config = build_checked(values)
        if self._config.tracker.system != "modular":
            raise UsageError(
                f"Tracker() runs the system modular, not {self._config.tracker.system}.",
                fix="Use track(), which runs every system.",
            )
        self._shelf = models.shelf if models is not None else ModelShelf(self._config)
        self._names = None if names is None else read_names(names)
        self.reset()

    def reset(self) -> None:
        """Forget all tracks, for another video; ids begin at 1 again and models stay loaded."""
        from mot_dinov3.systems.supplied import SuppliedTracker

        self._clock = FrameClock(self._config.source.fps)
        self._meter = WorkMeter()
        self._results = ResultMaker(self._config.draw)
        self._system = SuppliedTracker(self._config, self._shelf, self._names)

    @property
    def names(self) -> Mapping[int, str]:
        """Class id -> class name, as far as known."""
        return self._system.names

    @property
    def confirmed(self) -> int:
        """How many identities there were so far."""
        return self._system.confirmed

    @property
    def models(self) -> Mapping[str, str]:
        """Role -> title of the model in it, of those that are loaded."""
        return self._system.models

    def __repr__(self) -> str:
        """What runs, and how far it is."""
        roles = "; ".join(f"{role} {title}" for role, title in self.models.items())
        return f"<Tracker, {self._clock.frames} frames, {self.confirmed} identities: {roles}>"

    def update(
        self,
        boxes: Any,  # noqa: ANN401 - of several packages
        image: Any = None,  # noqa: ANN401 - checked
        *,
        scores: Any = None,  # noqa: ANN401 - checked
        classes: Any = None,  # noqa: ANN401 - checked
        embeddings: Any = None,  # noqa: ANN401 - checked
        time_s: float | None = None,
    ) -> Result:
        """Track boxes that are known already, one call a frame, also where there are none.

        Args:
            boxes: (N, 6) x1 y1 x2 y2 score class in pixels, or (N, 4) corners; or Detections of
                supervision, or Results of ultralytics.
            image: (H, W, 3) uint8 BGR; left out for motion alone, or where embeddings are given.
            scores: (N,) in [0, 1] for boxes without; 1 where left out.
            classes: (N,) class ids for boxes without; 0 where left out.
            embeddings: (N, D) vectors that are known already, rows of None or NaN for boxes
                without one. Those are computed by the embedder, as its plan wants.
            time_s: when the picture was taken, in seconds, where the tracker has no `fps`.

        Raises:
            UsageError: the boxes, the picture, the vectors or the time cannot be used.
            MotError: a model cannot be loaded.
        """
        given = read_boxes(boxes, scores, classes)
        image = given.image if image is None else image
        picture = None if image is None else check_image(image)
        if picture is not None:
            check_pixels(given.detections.xyxy)
        n = len(given.detections)
        vectors = None if embeddings is None else read_embeddings(embeddings, n)
        with self._shelf.lock:
            if given.names and self._names is None:
                self._system.learn_names(given.names, every=given.all_named)
            frame = self._next_frame(NO_PICTURE if picture is None else picture, time_s)
            self._meter.start()
            found = self._system.take(frame, given.detections, vectors, seen=picture is not None)
            return self._finish(found, image)

    def track(self, image: Any, *, time_s: float | None = None) -> Result:  # noqa: ANN401 - checked
        """Find the objects of a picture and track them.

        Args:
            image: (H, W, 3) uint8 BGR, as OpenCV reads it.
            time_s: when it was taken, in seconds, where the tracker has no `fps`.

        Raises:
            UsageError: the picture or the time cannot be used.
            MotError: a model cannot be loaded.
        """
        picture = check_image(image)
        with self._shelf.lock:
            frame = self._next_frame(picture, time_s)
            self._meter.start()
            return self._finish(self._system.detect(frame), image)

    def _next_frame(self, picture: Image, time_s: float | None) -> Frame:
        return Frame(self._clock.frames, self._clock.read(time_s), picture)

    def _finish(self, found: FrameResult, image: Any) -> Result:  # noqa: ANN401 - checked before
        self._clock.count(found.time_s)
        self._system.pace(self._meter.stop(found.embed.embed_ms))
        return self._results.make(found, image, self._system.names)
