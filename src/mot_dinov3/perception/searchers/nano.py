"""OpenCV's TrackerNano: a small Siamese network that looks around where a target was last."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np

from mot_dinov3.config import DeviceConfig
from mot_dinov3.errors import ModelError, UsageError, find_path
from mot_dinov3.perception.backends.digest import file_digest
from mot_dinov3.perception.searchers.base import Finds, Searcher, SearcherKind
from mot_dinov3.runtime.git_lfs import refuse_pointer
from mot_dinov3.values import FloatArray, Frame, Image, IntArray
from mot_dinov3.values.boxes import clip

SURE = 0.85
"""Nearly every find with an IoU above .5 scores more, and so do one in four where the target is not
in the picture at all. A tracker that went over to another object is as sure as one that did not:
how a find looks has to be asked of an embedding."""
LEAST_SIDE_PX = 2
"""A smaller box shows nothing that could be found again."""
PARTS = "BACKBONE,HEAD"
PROOF = (120, 160)
"""Height and width of the picture that the files are tried on."""

Rectangle = tuple[int, int, int, int]
"""Left, top, width and height, as OpenCV takes them."""
MakeTracker = Callable[[], Any]


@dataclass(slots=True)
class Target:
    """What is followed: what was shown of it, and the tracker once it was searched.

    Attributes:
        image: the picture that showed it; None once a tracker has learned it.
        box: where it was then.
        tracker: a `cv2.TrackerNano` that knows it.
    """

    image: Image | None
    box: Rectangle
    tracker: Any = None


class NanoSearcher(Searcher):
    """A `cv2.TrackerNano` for each target.

    It learns from the picture that showed a target, and never after; it searches a square about
    where it found the target last, four times as large as the target and some of what surrounds
    it. A tracker learns only when its target is searched for the first time, as most of those
    that are shown never are, and is used for another target once its own is forgotten.
    """

    sure = SURE

    def __init__(self, make: MakeTracker, title: str, fingerprint: str) -> None:
        """Follow with trackers.

        Args:
            make: a new tracker, weights loaded.
            title: what runs.
            fingerprint: of the weights.
        """
        self._title, self._fingerprint, self._make = title, fingerprint, make
        self._targets: dict[int, Target] = {}
        self._idle: list[Any] = []

    @property
    def title(self) -> str:
        """The files, and where they run."""
        return self._title

    @property
    def fingerprint(self) -> str:
        """Of both files."""
        return self._fingerprint

    def show(self, frame: Frame, ids: IntArray, xyxy: FloatArray) -> None:
        """Keep the picture, from which a tracker learns when it first searches."""
        self.forget(ids)
        inside = clip(xyxy, frame.width, frame.height)
        shortest = (inside[:, 2:] - inside[:, :2]).min(axis=1)
        for row, n in enumerate(ids.tolist()):
            if shortest[row] >= LEAST_SIDE_PX:
                self._targets[n] = Target(frame.image, to_rectangle(xyxy[row]))

    def search(self, frame: Frame, ids: IntArray, expected: FloatArray) -> Finds:
        """Find each target near where this searcher found it last.

        `expected` is not used: to search about it instead, in pictures that were moved by the
        difference, lost targets more often than it kept them.
        """
        finds = Finds.nothing(np.array(expected, np.float32))
        for row, n in enumerate(ids.tolist()):
            if n in self._targets:
                found, box = self._prepare(self._targets[n]).update(frame.image)
                if found:
                    left, top, width, height = box
                    finds.xyxy[row] = left, top, left + width, top + height
                    finds.score[row] = self._targets[n].tracker.getTrackingScore()
        np.clip(finds.score, 0, 1, out=finds.score)
        return finds

    def forget(self, ids: IntArray) -> None:
        """Give the trackers of targets to others."""
        for n in ids.tolist():
            target = self._targets.pop(n, None)
            if target is not None and target.tracker is not None:
                self._idle.append(target.tracker)

    def renew(self) -> Self:
        """One with the same weights that follows nothing yet."""
        return type(self)(self._make, self._title, self._fingerprint)

    def _prepare(self, target: Target) -> Any:  # noqa: ANN401 - OpenCV has no types
        """The tracker of a target, which has learned it."""
        if target.tracker is None:
            target.tracker = self._idle.pop() if self._idle else self._make()
            target.tracker.init(target.image, target.box)
            target.image = None
        return target.tracker


def to_rectangle(box: FloatArray) -> Rectangle:
    """A box (4,) xyxy in whole pixels, as OpenCV's trackers take it."""
    left, top = np.rint(box[:2]).astype(int).tolist()
    width, height = np.rint(box[2:] - box[:2]).astype(int).clip(LEAST_SIDE_PX).tolist()
    return left, top, width, height


def load_nano(argument: str, device: str, settings: DeviceConfig) -> Searcher:
    """Load TrackerNano from the user's ONNX files; it runs on the processor by OpenCV.

    Args:
        argument: the files of backbone and head, a comma between.
        device: not used.
        settings: not used.

    Raises:
        UsageError: there are not two files.
        ModelError: a file is not there, or is not the one of NanoTrack.
    """
    files = [Path(part.strip()).expanduser() for part in argument.split(",") if part.strip()]
    if len(files) != 2:
        raise UsageError(
            f"--searcher nano:{argument} must name two files, got {len(files)}.",
            fix=f"Write --searcher nano:{PARTS}, two files ending in .onnx.",
        )
    for path in files:
        if not path.is_file():
            raise ModelError(f"The searcher's file '{path}' is not there.", fix=find_path(path))
        refuse_pointer(path, ModelError)
    backbone, head = files
    prove(backbone, head)
    digest = "+".join(map(file_digest, files))
    return NanoSearcher(
        lambda: make_tracker(backbone, head), f"nano {backbone.name}, {head.name}, cpu", digest
    )


def make_tracker(backbone: Path, head: Path) -> Any:  # noqa: ANN401 - OpenCV has no types
    """A new `cv2.TrackerNano`."""
    opencv: Any = cv2
    options = opencv.TrackerNano_Params()
    options.backbone, options.neckhead = str(backbone), str(head)
    with hush():
        return opencv.TrackerNano_create(options)


def prove(backbone: Path, head: Path) -> None:
    """Try two files on a picture.

    Raises:
        ModelError: they are not what TrackerNano needs; it says so where they are swapped.
    """
    if works(backbone, head):
        return
    if works(head, backbone):
        raise ModelError(
            f"'{backbone.name}' is the head and '{head.name}' the backbone.",
            fix=f"Swap them: --searcher nano:{head},{backbone}",
        )
    raise ModelError(
        f"'{backbone.name}' and '{head.name}' are not the backbone and the head of NanoTrack.",
        fix="Give the two files of one NanoTrack v2, such as nanotrackv2_backbone.onnx and "
        "nanotrackv2_head.onnx.",
    )


def works(backbone: Path, head: Path) -> bool:
    """Whether a tracker of two files follows something in a drawn picture."""
    height, width = PROOF
    image = np.zeros((height, width, 3), np.uint8)
    image[40:80, 50:90] = 200
    try:
        with hush():
            tracker = make_tracker(backbone, head)
            tracker.init(image, (50, 40, 40, 40))
            tracker.update(image)
            return bool(np.isfinite(tracker.getTrackingScore()))
    except cv2.error:
        return False


NANO = SearcherKind(load_nano, argument=PARTS)


@contextmanager
def hush() -> Iterator[None]:
    """Keep OpenCV from printing what a user can do nothing about."""
    levels: Any = cv2.utils.logging
    level = levels.setLogLevel(levels.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        levels.setLogLevel(level)
