"""The door that every system comes through: loaded once, started for each clip, stepped by frame.

A run needs no more than this::

    system = Loaded.load(config).start(config)  # a class with the methods of `LoadedSystem`
    results = [system.step(frame) for frame in frames]

Jobs, sinks, `--resume`, batches and reports know these protocols and nothing of the systems behind
them. A system inherits from them for the answers that suit most systems, and writes only the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

from mot_dinov3.values import Detections, EmbedderMark, FloatArray, Frame, FrameResult

if TYPE_CHECKING:
    from mot_dinov3.config import TrackConfig
    from mot_dinov3.io.info import SourceInfo
    from mot_dinov3.systems.group import SystemGroup
    from mot_dinov3.values.run_facts import SystemCounts

UNKNOWN = "unknown"
"""The fingerprint of a model that cannot be read; it equals no other one, not even itself."""


class System(Protocol):
    """Tracks the frames of one clip, and holds whatever it learns of them."""

    @property
    def names(self) -> Mapping[int, str]:
        """Class id -> class name."""

    @property
    def title(self) -> str:
        """What runs, in one line for the log."""

    @property
    def models(self) -> Mapping[str, str]:
        """Role -> title of the model in it, such as "detector" -> "yolov8n.pt 640 px, cpu"."""

    @property
    def counts(self) -> SystemCounts:
        """How many tracks there were so far."""

    def warm_up(self, frame: Frame) -> None:
        """Make the slow first calls on a frame of the clip, before the first one is tracked."""
        return

    def step(self, frame: Frame) -> FrameResult:
        """Track one frame; frames come in order of time."""

    def pace(self, other_ms: float) -> None:
        """Record what the last frame took beside embedding, for a budget that follows the rate.

        Args:
            other_ms: milliseconds of all stages but "embed".
        """
        return


class WrappedSystem(System):
    """A system around another one, which it is in all that a class does not say itself."""

    def __init__(self, system: System) -> None:
        """Stand in for `system`."""
        self._system = system

    @property
    def names(self) -> Mapping[int, str]:
        """Class id -> class name."""
        return self._system.names

    @property
    def title(self) -> str:
        """What runs, in one line for the log."""
        return self._system.title

    @property
    def models(self) -> Mapping[str, str]:
        """Role -> title of the model in it."""
        return self._system.models

    @property
    def counts(self) -> SystemCounts:
        """How many tracks there were so far."""
        return self._system.counts

    def warm_up(self, frame: Frame) -> None:
        """Make the slow first calls."""
        self._system.warm_up(frame)

    def step(self, frame: Frame) -> FrameResult:
        """Track one frame."""
        return self._system.step(frame)

    def pace(self, other_ms: float) -> None:
        """Record what the last frame took beside embedding, in milliseconds."""
        self._system.pace(other_ms)


class Recorder(Protocol):
    """Keeps what the models of a system answer, and gives it again when a run is resumed.

    A system that asks its models through a recorder need not run them for the frames that the
    run journal holds. A system that ignores the recorder tracks those frames once more. In both
    cases the journal proves that the tracks are the same.
    """

    def clock(self) -> float:
        """Seconds, moved on by the time that repeated embeddings took when they were new."""

    def get_detections(self, ask: Callable[[], Detections]) -> Detections:
        """The detections of the frame at hand: those of the journal, else what `ask` returns."""

    def get_admitted(self, ask: Callable[[], int]) -> int:
        """How many crops the budget admits next: as in the journal, else what `ask` returns."""

    def get_vectors(self, n: int, ask: Callable[[], FloatArray]) -> FloatArray:
        """(n, D) embeddings of a batch of crops: those of the journal, else what `ask` returns."""


class LoadedSystem(Protocol):
    """A system with its models loaded, good for any number of clips, one after another.

    The class methods beside `load` are asked before any model is loaded.
    """

    @classmethod
    def load(cls, config: TrackConfig, device: str | None = None) -> Self:
        """Load the models.

        Args:
            config: all stages.
            device: torch device string; chosen from `config.device` when left out.

        Raises:
            MotError: a name, a model or a device cannot be used.
        """

    @classmethod
    def find_pixel_needs(cls, config: TrackConfig) -> Mapping[str, str]:
        """What of this system needs images: flag -> the flag to give instead."""
        return {f"--system {config.tracker.system}": "another --system"}

    @classmethod
    def find_missing_embeddings(cls, config: TrackConfig) -> str:
        """The flags that leave this system without any embedding, "" if it computes some."""
        return ""

    @classmethod
    def find_clip_inputs(cls, config: TrackConfig) -> Mapping[str, str]:
        """The flags whose value is a file of one clip: flag -> how such a value begins."""
        return {}

    @classmethod
    def list_input_files(cls, config: TrackConfig) -> Sequence[Path]:
        """The files that this system may read, which no output may replace."""
        return ()

    @property
    def names(self) -> Mapping[int, str]:
        """Class id -> class name."""

    @property
    def title(self) -> str:
        """What is loaded, in one line for the log."""

    @property
    def fingerprint(self) -> Mapping[str, str]:
        """What must be equal for `--resume`: role -> title or digest, `UNKNOWN` if unreadable."""

    def describe_embedder(self, config: TrackConfig) -> EmbedderMark | None:
        """What made the vectors of this system, None where it makes none.

        Args:
            config: all stages; it names the embedder.
        """
        return None

    def start(self, config: TrackConfig, recorder: Recorder | None = None) -> System:
        """A system for one clip, which has seen nothing yet.

        Args:
            config: all stages.
            recorder: keeps the answers of the models; a system may ignore it.

        Raises:
            MotError: a setting or a file of this clip cannot be used.
        """

    def for_clip(self, config: TrackConfig) -> Self:
        """The same system for another clip; what remembers the last clip is made anew.

        Raises:
            MotError: a file of the new clip cannot be read.
        """
        return self

    def create_group(self) -> SystemGroup:
        """A group for the systems of several cameras that share these models."""
        from mot_dinov3.systems.group import SystemGroup

        return SystemGroup()

    def check_source(self, info: SourceInfo) -> None:
        """Log what a user should know about this source before the first frame."""
        return
