"""The door of a system whose models several cameras share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from mot_dinov3.config import TrackConfig
from mot_dinov3.errors import MotError
from mot_dinov3.io.info import SourceInfo
from mot_dinov3.runs.cameras.model_thread import ModelThread
from mot_dinov3.systems.base import LoadedSystem, Recorder, System, WrappedSystem
from mot_dinov3.systems.factory import load_system
from mot_dinov3.values import Frame, FrameResult


class SharedModels:
    """The models, loaded when the first camera has connected, in their own thread.

    Attributes:
        thread: runs everything that touches them.
        error: why they cannot be loaded, which every camera would meet; None while they may.
    """

    def __init__(self, thread: ModelThread, device: str | None = None) -> None:
        """Load nothing yet.

        Args:
            thread: entered before the first camera asks.
            device: torch device string; chosen from the configuration when left out.
        """
        self.thread, self._device = thread, device
        self.error: MotError | None = None
        self._loaded: LoadedSystem | None = None

    def open(self, config: TrackConfig) -> LoadedSystem:
        """The models for one camera; what remembers frames is its own.

        Raises:
            MotError: they cannot be loaded; told again to every camera that asks.
        """
        return self.thread.call(lambda: self._open(config))

    def _open(self, config: TrackConfig) -> LoadedSystem:
        if self.error is not None:
            raise self.error
        if self._loaded is None:
            try:
                self._loaded = load_system(config, self._device)
            except MotError as error:
                self.error = error
                raise
            self.thread.use(self._loaded.create_group())
        return self._loaded.for_clip(config)


class CameraSystem(LoadedSystem):
    """The loaded system of one camera: the shared models, asked for when they are needed.

    Attributes:
        failed: the camera has met the failure of the models.
    """

    def __init__(self, models: SharedModels, config: TrackConfig) -> None:
        self._models, self._config = models, config
        self.failed = False
        self._own: LoadedSystem | None = None
        self._started: SteppedTogether | None = None

    @classmethod
    def load(cls, config: TrackConfig, device: str | None = None) -> Self:
        """The system of the first camera around models of its own; further ones may join them."""
        return cls(SharedModels(ModelThread().__enter__(), device), config)

    @property
    def _system(self) -> LoadedSystem:
        if self._own is None:
            try:
                self._own = self._models.open(self._config)
            except MotError as error:
                self.failed = error is self._models.error
                raise
        return self._own

    @property
    def names(self) -> Mapping[int, str]:
        """Class id -> class name."""
        return self._system.names

    @property
    def title(self) -> str:
        """What is loaded, in one line for the log."""
        return self._system.title

    @property
    def fingerprint(self) -> Mapping[str, str]:
        """What must be equal for `--resume`, which live sources do not have."""
        return self._system.fingerprint

    def for_clip(self, config: TrackConfig) -> Self:
        """The same: it is of one camera from its birth on."""
        return self

    def start(self, config: TrackConfig, recorder: Recorder | None = None) -> System:
        """A tracker for this camera, stepped in rounds with those of the others."""
        system, thread = self._system, self._models.thread
        tracker = thread.call(lambda: system.start(config, recorder))
        thread.join(tracker)
        self._started = SteppedTogether(tracker, thread)
        return self._started

    def check_source(self, info: SourceInfo) -> None:
        """Log what a user should know about this source before the first frame."""
        self._system.check_source(info)

    def close(self) -> None:
        """Leave the rounds, where this camera takes part in them."""
        if self._started is not None:
            self._started.leave()


class SteppedTogether(WrappedSystem):
    """The system of one camera, each step of which is a turn in a round of all cameras."""

    def __init__(self, system: System, thread: ModelThread) -> None:
        super().__init__(system)
        self._thread = thread

    def warm_up(self, frame: Frame) -> None:
        """Make the slow first calls between two rounds; the other cameras wait for them."""
        self._thread.call(lambda: self._system.warm_up(frame))

    def step(self, frame: Frame) -> FrameResult:
        """Track one frame in the next round."""
        return self._thread.step(self._system, frame)

    def leave(self) -> None:
        """Leave the rounds."""
        self._thread.leave(self._system)
