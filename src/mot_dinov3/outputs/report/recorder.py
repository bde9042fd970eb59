"""A run as a report needs it, gathered while it goes or read back from its journal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mot_dinov3.io.formats.frame_log import Journal
from mot_dinov3.outputs.report.frames import FrameTable
from mot_dinov3.outputs.report.track_history import TrackBook, TrackHistory
from mot_dinov3.values import FrameResult, Look
from mot_dinov3.values.run_facts import RunFacts


@dataclass(slots=True)
class RunData:
    """Everything that a report may show of one run; what is not known is empty.

    Attributes:
        name: what the page calls the run.
        frames: its frames, none where only its figures are there.
        tracks: identity -> its track.
        names: class id -> name.
        facts: what it was and did, None where only its frames are there.
        cut: its journal ended in half a line.
    """

    name: str
    frames: FrameTable = field(default_factory=FrameTable)
    tracks: Mapping[int, TrackHistory] = field(default_factory=dict)
    names: Mapping[int, str] = field(default_factory=dict)
    facts: RunFacts | None = None
    cut: bool = False

    @property
    def settings(self) -> Mapping[str, Any]:
        """The settings of the run, none where its figures are missing."""
        return (self.facts.config if self.facts else None) or {}

    def class_of(self, track: TrackHistory) -> str:
        """What an identity is, in words."""
        return self.names.get(track.class_id) or f"class {track.class_id}"


class Recorder:
    """Adds up frames; memory grows by some hundred bytes a frame and by each identity's track."""

    def __init__(self) -> None:
        self.frames = FrameTable()
        self._book = TrackBook()

    @property
    def tracks(self) -> dict[int, TrackHistory]:
        """Identity -> its track so far."""
        return self._book.tracks

    def add(
        self,
        result: FrameResult,
        stage_ms: Mapping[str, float],
        latency_ms: float,
        looks: Iterable[Look] = (),
        size: tuple[int, int] | None = None,
    ) -> None:
        """Take the next frame.

        Args:
            result: what the tracker said of it.
            stage_ms: all its stages.
            latency_ms: from the beginning of its reading until it was written.
            looks: what its embeddings told.
            size: width and height of its picture, None if unknown.
        """
        self._book.add(len(self.frames), result.time_s, result.tracks, looks, size)
        self.frames.add(result, stage_ms, latency_ms)


def record_frame_log(path: Path) -> Recorder:
    """The frames and tracks of a `--save-jsonl` file.

    Raises:
        InputError: the file cannot be read, or a line is no frame.
    """
    recorder = Recorder()
    _record(Journal(path), recorder)
    return recorder


def _record(journal: Journal, recorder: Recorder) -> None:
    for record in journal:
        result = record.result
        recorder.add(result, result.stage_ms, record.latency_ms, record.looks, record.size)


def read_run(path: Path) -> RunData:
    """The run that a `--save-jsonl` file holds; half a last line is left out.

    Raises:
        InputError: the file cannot be read, or a line is no frame.
    """
    journal, recorder = Journal(path), Recorder()
    _record(journal, recorder)
    return RunData(path.stem, recorder.frames, recorder.tracks, journal.names, cut=journal.cut)
