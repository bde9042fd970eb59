"""Follows one object through a clip, as `step(frame) -> FrameResult`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mot_dinov3.config import FollowConfig
from mot_dinov3.config.tracking.follow import measure_visible
from mot_dinov3.errors import UsageError
from mot_dinov3.perception.detectors.base import Detector
from mot_dinov3.perception.detectors.classes import resolve_classes
from mot_dinov3.perception.searchers.base import Searcher
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.systems.base import System
from mot_dinov3.systems.models import join_titles
from mot_dinov3.values import (
    CONFIRMED,
    LOST,
    Detections,
    FloatArray,
    Frame,
    FrameResult,
    IntArray,
    Tracks,
)
from mot_dinov3.values.boxes import reach_border, share_of_sides
from mot_dinov3.values.run_facts import SystemCounts
from mot_dinov3.wording import counted

OBJECTS: Mapping[int, str] = {0: "object"}
"""The class of what is in a box that is given."""
LOOK_FRAMES = 300
"""Frames in which the detector looks for `--pick`."""
WAIT_FRAMES = 25
"""Frames for which an object that the border cuts is waited for, as it may be coming in."""
BORDER = 0.02
"""Part of the picture's width and height in which a box counts as cut by the border."""
COAST_FRAMES = 5
"""Frames for which a lost object is expected to move on as it did; then it is looked for there."""
SMOOTHING = 0.5
"""Part of the newest motion in the usual one."""
LEAST_VISIBLE = 0.25
"""An object of which less than this share is inside of the picture has left it."""
IDS: IntArray = np.ones(1, np.int64)


@dataclass(frozen=True, slots=True)
class Target:
    """The object as it was found last.

    Attributes:
        xyxy: (4,) float32 pixels.
        score: how sure it is, 0 to 1.
        class_id: its class.
        index: of the frame.
        speed: pixels a frame, across and down.
    """

    xyxy: FloatArray
    score: float
    class_id: int
    index: int
    speed: tuple[float, float] = (0.0, 0.0)

    def predict(self, index: int) -> FloatArray:
        """(4,) where it may be in a later frame."""
        steps = min(index - self.index, COAST_FRAMES)
        return np.asarray(self.xyxy + np.tile(self.speed, 2) * steps, np.float32)

    def move(self, xyxy: FloatArray, score: float, index: int) -> Target:
        """The object where it was found in a later frame."""
        shift = (xyxy[:2] + xyxy[2:] - self.xyxy[:2] - self.xyxy[2:]) / 2
        newest = shift / max(index - self.index, 1)
        across, down = (SMOOTHING * newest + (1 - SMOOTHING) * np.array(self.speed)).tolist()
        return Target(xyxy, score, self.class_id, index, (across, down))


class Picker:
    """Finds the object that `--pick` means, in the first frames of a clip."""

    def __init__(self, detector: Detector, pick: str, conf: float, *, waits: bool = False) -> None:
        """Look for the object of which the detector is most sure.

        Args:
            detector: finds objects of all classes.
            pick: the class, or several.
            conf: least score.
            waits: leave out objects that the border cuts, for `WAIT_FRAMES` with nothing else.

        Raises:
            UsageError: the detector has no such class.
        """
        self.detector = detector
        self._pick, self._conf, self._looked = pick, np.float32(conf), 0
        self._waits = WAIT_FRAMES if waits else 0
        self._classes = sorted(resolve_classes(pick, detector.names, "--pick") or ())

    def find(self, frame: Frame) -> Target | None:
        """The object, None where the frame shows none.

        Raises:
            UsageError: none was seen for too long.
        """
        seen = self.detector.detect(frame)
        fits = np.isin(seen.class_id, self._classes) & (seen.score >= self._conf)
        size = (frame.width, frame.height)
        whole = fits & ~reach_border(seen.xyxy, size, share_of_sides(size, BORDER))
        if fits.any() and not whole.any() and self._waits:
            self._waits -= 1
        elif fits.any():
            row = int(np.where(whole if whole.any() else fits, seen.score, -1).argmax())
            score, class_id = float(seen.score[row]), int(seen.class_id[row])
            return Target(seen.xyxy[row], score, class_id, frame.index)
        self._looked += 1
        if self._looked >= LOOK_FRAMES:
            raise UsageError(
                f"No {self._pick} was seen in {counted(self._looked, 'frame')}, the last of them "
                f"frame {frame.index}.",
                fix="Give another --pick, a later --frame or a lower --conf.",
            )
        return None


class Follower(System):
    """Follows one object through a clip, under the id 1.

    A frame in which the object is found has one detection, which is the find. In any other frame
    the track is lost, and the next one is searched.
    """

    def __init__(
        self, searcher: Searcher, config: FollowConfig, picker: Picker | None = None
    ) -> None:
        """Follow nothing yet.

        Args:
            searcher: follows nothing yet, either.
            config: the frame to begin with, and the box.
            picker: finds the object where no box is given.
        """
        self._searcher, self._config, self._picker = searcher, config, picker
        self._target: Target | None = None

    @property
    def names(self) -> Mapping[int, str]:
        """Class id -> class name."""
        return OBJECTS if self._picker is None else self._picker.detector.names

    @property
    def title(self) -> str:
        """Searcher and detector."""
        return join_titles(self.models)

    @property
    def models(self) -> Mapping[str, str]:
        """Role -> title of the model in it."""
        detector = None if self._picker is None else self._picker.detector
        return describe_parts(self._searcher, detector)

    @property
    def counts(self) -> SystemCounts:
        """One track, once the object was met."""
        met = int(self._target is not None)
        return SystemCounts(met, met)

    def warm_up(self, frame: Frame) -> None:
        """Make the slow first calls of the detector.

        Raises:
            UsageError: the box is outside of the picture.
        """
        self._config.check_size(frame.width, frame.height)
        if self._picker is not None:
            self._picker.detector.warm_up(frame.width, frame.height)

    def step(self, frame: Frame) -> FrameResult:
        """Begin with the object, or find it again; frames come in order of time.

        Raises:
            UsageError: the box is outside of the picture, or the class was not seen for too long.
        """
        timer, met = StageTimer(), self._target
        if met is not None:
            with timer("search"):
                self._target = self._search(frame, met)
        elif frame.index >= self._config.frame:
            with timer("detect"):
                self._target = self._begin(frame)
        return describe_frame(frame, self._target, timer.stage_ms)

    def _begin(self, frame: Frame) -> Target | None:
        """The object in its first frame, shown to the searcher; None where it is not seen."""
        if self._picker is not None:
            target = self._picker.find(frame)
        else:
            self._config.check_size(frame.width, frame.height)
            target = Target(np.array(self._config.xyxy, np.float32), 1.0, 0, frame.index)
        if target is not None:
            self._searcher.show(frame, IDS, target.xyxy[None])
        return target

    def _search(self, frame: Frame, met: Target) -> Target:
        """The object where it is found, or as it was where it is not."""
        finds = self._searcher.search(frame, IDS, met.predict(frame.index)[None])
        xyxy, score = finds.xyxy[0], float(finds.score[0])
        left, top, right, bottom = xyxy.tolist()
        visible = measure_visible((left, top, right, bottom), frame.width, frame.height)
        if score < self._searcher.sure or visible < LEAST_VISIBLE:
            return met
        return met.move(xyxy, score, frame.index)


def describe_frame(frame: Frame, target: Target | None, stage_ms: dict[str, float]) -> FrameResult:
    """The result of a frame.

    Args:
        frame: the picture.
        target: the object as it was found last, None while it is not known.
        stage_ms: stage -> milliseconds.
    """
    detections, tracks = Detections.empty(), Tracks.empty()
    if target is not None:
        found = target.index == frame.index
        box, row = target.predict(frame.index)[None], np.zeros(1, np.int64)
        score, class_id = np.array([target.score], np.float32), row + target.class_id
        state = np.array([CONFIRMED if found else LOST], np.int8)
        tracks = Tracks(
            IDS, box, score, class_id, state, np.zeros(1, np.bool_), row if found else row - 1
        )
        detections = Detections(box, score, class_id) if found else detections
    return FrameResult(frame.index, frame.time_s, detections, tracks, stage_ms=stage_ms)


def describe_parts(searcher: Searcher, detector: Detector | None) -> dict[str, str]:
    """Role -> title of the model in it."""
    return {"searcher": searcher.title} | ({"detector": detector.title} if detector else {})
