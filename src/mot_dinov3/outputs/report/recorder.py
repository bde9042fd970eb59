"""A run as a report needs it, collected while it goes or read back from its frame log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mot_dinov3.config import CountConfig
from mot_dinov3.io.formats.frame_log import FrameLog
from mot_dinov3.outputs.counting.counter import FrameCounter
from mot_dinov3.outputs.report.count_table import CountTable
from mot_dinov3.outputs.report.frames import FrameTable
from mot_dinov3.outputs.report.places import PlaceGrid
from mot_dinov3.outputs.report.track_history import TrackBook, TrackHistory
from mot_dinov3.values import Appearance, FrameResult
from mot_dinov3.values.run_facts import RunFacts
from mot_dinov3.wording import name_class


@dataclass(slots=True)
class RunData:
    """Everything that a report may show of one run; what is not known is empty or None.

    Attributes:
        name: title of the run in the page.
        frames: its frames, empty where only its facts are known.
        tracks: identity -> its history.
        names: class id -> name.
        facts: what it was and did, None where only its frames are known.
        cut: its frame log ends in half a line.
        places: where its objects were, None where only its facts are known.
        counts: what was counted at its lines and zones, empty where there are none.
        known: identity -> what it is called, of those that have a name.
    """

    name: str
    frames: FrameTable = field(default_factory=FrameTable)
    tracks: Mapping[int, TrackHistory] = field(default_factory=dict)
    names: Mapping[int, str] = field(default_factory=dict)
    facts: RunFacts | None = None
    cut: bool = False
    places: PlaceGrid | None = None
    counts: CountTable = field(default_factory=CountTable)
    known: Mapping[int, str] = field(default_factory=dict)

    def title_of(self, track: TrackHistory) -> str:
        """What a track is called: its name, or its number."""
        return self.known.get(track.track_id, f"ID {track.track_id}")

    @property
    def settings(self) -> Mapping[str, Any]:
        """The settings of the run, empty where its facts are not known."""
        return (self.facts.config if self.facts else None) or {}

    def class_of(self, track: TrackHistory) -> str:
        """The name of the class of a track."""
        return name_class(track.class_id, self.names)


class RunRecorder:
    """Adds up frames; memory grows by some hundred bytes per frame, and with each track."""

    def __init__(self) -> None:
        self.frames, self.counts = FrameTable(), CountTable()
        self.places = PlaceGrid()
        self.known: dict[int, str] = {}
        self._book = TrackBook()

    @property
    def tracks(self) -> dict[int, TrackHistory]:
        """Identity -> its history so far."""
        return self._book.tracks

    def add(
        self,
        result: FrameResult,
        stage_ms: Mapping[str, float],
        latency_ms: float,
        appearances: Iterable[Appearance] = (),
        size: tuple[int, int] | None = None,
    ) -> None:
        """Take the next frame.

        Args:
            result: of the frame.
            stage_ms: milliseconds of all its stages.
            latency_ms: milliseconds from the beginning of its reading until it was written.
            appearances: what its embeddings say of the appearance of their tracks.
            size: width and height of the picture in pixels, None if unknown.
        """
        self.places.add(len(self.frames), result.tracks, size)
        self._book.add(len(self.frames), result.time_s, result.tracks, appearances, size)
        self.frames.add(result, stage_ms, latency_ms)
        self.known |= result.known
        if result.counted is not None:
            self.counts.add(result.frame_index, result.counted)


def record_frame_log(path: Path, count: CountConfig) -> RunRecorder:
    """Read the frames and tracks of a `--save-jsonl` file.

    Args:
        path: the file.
        count: the lines and zones of the run, at which its tracks are counted again.

    Raises:
        InputError: the file cannot be read, or a line is not a frame.
    """
    recorder = RunRecorder()
    _record(FrameLog(path), recorder, count)
    return recorder


def _record(frame_log: FrameLog, recorder: RunRecorder, count: CountConfig) -> None:
    counter = FrameCounter(count) if count.wanted else None
    for record in frame_log:
        result = record.result
        if counter is not None and record.size is not None:
            result = counter.count(result, record.size)
        recorder.add(result, result.stage_ms, record.latency_ms, record.looks, record.size)


def read_run(path: Path, count: CountConfig | None = None) -> RunData:
    """Read the run that a `--save-jsonl` file holds; half a last line is left out.

    Args:
        path: the file.
        count: the lines and zones of the run, at which its tracks are counted again.

    Raises:
        InputError: the file cannot be read, or a line is not a frame.
    """
    frame_log, recorder = FrameLog(path), RunRecorder()
    _record(frame_log, recorder, count or CountConfig())
    return RunData(
        path.stem,
        recorder.frames,
        recorder.tracks,
        frame_log.names,
        cut=frame_log.cut,
        places=recorder.places,
        counts=recorder.counts,
        known=recorder.known,
    )
