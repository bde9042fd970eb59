"""Counts the tracks of a run at all its lines and zones, frame by frame."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from mot_dinov3.config import CountConfig
from mot_dinov3.io.formats.frame_log import FrameLog
from mot_dinov3.outputs.counting.base import SeenTracks
from mot_dinov3.outputs.counting.lines import LineCounter
from mot_dinov3.outputs.counting.zones import ZoneCounter
from mot_dinov3.values import FrameResult
from mot_dinov3.values.counting import CountKind, FrameCounts
from mot_dinov3.values.run_facts import LineFacts, ZoneFacts
from mot_dinov3.wording import name_class


class FrameCounter:
    """All lines and zones of a run; the same frames always lead to the same counts."""

    def __init__(self, config: CountConfig) -> None:
        """A counter that has seen nothing yet.

        Args:
            config: the lines and zones, and which point of a box counts.
        """
        self._config = config
        self._lines: list[LineCounter] = []
        self._zones: list[ZoneCounter] = []
        self._began = False

    def count(self, result: FrameResult, size: tuple[int, int]) -> FrameResult:
        """The result of the next frame with what is counted until then.

        Args:
            result: of the frame.
            size: width and height of its picture in pixels; that of the first frame decides.

        Raises:
            UsageError: a line or a zone is outside of the first picture.
        """
        self.begin(size)
        seen = SeenTracks.of(result)
        crossings = [event for line in self._lines for event in line.count(seen)]
        visits = [event for zone in self._zones for event in zone.count(seen)]
        counted = FrameCounts(
            (*crossings, *visits),
            tuple(one.get_counts() for one in self._lines),
            tuple(one.get_counts() for one in self._zones),
        )
        return replace(result, counted=counted)

    def begin(self, size: tuple[int, int]) -> None:
        """Make the lines and zones for a picture, unless they are there already.

        Args:
            size: width and height of the first picture in pixels.

        Raises:
            UsageError: a line or a zone is outside of it.
        """
        if self._began:
            return
        (width, height), config = size, self._config
        for shape in config.lines:
            start, end = shape.to_pixels(width, height)
            self._lines.append(LineCounter(shape.name, (start, end), config))
        for shape in config.zones:
            corners = shape.to_pixels(width, height)
            self._zones.append(ZoneCounter(shape.name, corners, config))
        self._began = True

    def describe_lines(self, names: Mapping[int, str]) -> dict[str, LineFacts]:
        """Name of a line -> its crossings by class.

        Args:
            names: class id -> class name.
        """
        return {
            one.name: {
                str(kind): _by_class(one.counts, kind, names)
                for kind in (CountKind.IN, CountKind.OUT)
            }
            for one in self._lines
        }

    def describe_zones(self, names: Mapping[int, str]) -> dict[str, ZoneFacts]:
        """Name of a zone -> its visits by class.

        Args:
            names: class id -> class name.
        """
        out = {}
        for one in self._zones:
            seconds: dict[str, dict[str, float]] = {}
            for class_id, track_id, spent in one.list_seconds():
                seconds.setdefault(name_class(class_id, names), {})[str(track_id)] = spent
            out[one.name] = ZoneFacts(
                _by_class(one.counts, CountKind.ENTER, names),
                _by_class(one.counts, CountKind.LEAVE, names),
                one.most,
                seconds,
            )
        return out


def count_frame_log(path: Path, config: CountConfig) -> FrameCounter:
    """Count once more what a frame log holds; frames without a size are passed over.

    Raises:
        InputError: it cannot be read.
        UsageError: a line or a zone is outside of its first picture.
    """
    counter = FrameCounter(config)
    for record in FrameLog(path):
        if record.size is not None:
            counter.count(record.result, record.size)
    return counter


def _by_class(
    counts: Mapping[tuple[CountKind, int], int], kind: CountKind, names: Mapping[int, str]
) -> dict[str, int]:
    found: Counter[str] = Counter()
    for (one, class_id), n in sorted(counts.items()):
        if one == kind:
            found[name_class(class_id, names)] += n
    return dict(found)
