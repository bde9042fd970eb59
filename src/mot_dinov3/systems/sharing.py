"""Modular trackers that share detector, embedder and embedding budget."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter

from mot_dinov3.errors import MotError
from mot_dinov3.perception.detectors.base import BatchDetector
from mot_dinov3.scheduling.budget import FrameRateBudget, TimeBudget
from mot_dinov3.scheduling.shared_budget import SharedBudget
from mot_dinov3.systems.base import System
from mot_dinov3.systems.group import SystemGroup, Turn, step_alone
from mot_dinov3.systems.modular import ModularTracker
from mot_dinov3.values import FrameResult, Supplied


class ModularGroup(SystemGroup):
    """Detects a batch where the detector gains from it, and lends unspent milliseconds.

    What a crop costs is learned once for all cameras with the same embedder. A budget in
    milliseconds is shared as `SharedBudget` says; one that follows a frame rate leaves to each
    camera its part of the time. A budget in crops is not shared, so that its results repeat.
    """

    def __init__(self) -> None:
        self._shared = SharedBudget()
        self._members: list[ModularTracker] = []

    def join(self, system: System) -> None:
        """Take in a tracker around the same models."""
        if not isinstance(system, ModularTracker):
            return
        for other in self._members:
            if system.embedder is not None and other.embedder is system.embedder:
                system.scheduler.adopt(other.scheduler.model)
                break
        self._members.append(system)
        self._shared.join(id(system))
        self._divide_time()

    def leave(self, system: System) -> None:
        """Let a tracker go; the others have its part of the time."""
        if isinstance(system, ModularTracker) and system in self._members:
            self._members.remove(system)
            self._shared.leave(id(system))
            self._divide_time()

    def step(self, turns: Sequence[Turn]) -> list[FrameResult | Exception]:
        """Detect in all frames, then embed and associate, the quiet cameras first."""
        found = detect_together(turns)
        place = {id(turn.system): at for at, turn in enumerate(turns)}
        out: dict[int, FrameResult | Exception] = {}
        for member in self._shared.order(place):
            at = place[member]
            out[at] = self._step_one(turns[at], found[at] if found else None)
        return [out[at] for at in range(len(turns))]

    def _step_one(self, turn: Turn, found: Supplied | MotError | None) -> FrameResult | Exception:
        if isinstance(found, MotError):
            return found
        tracker = turn.system
        if not isinstance(tracker, ModularTracker):
            return step_alone(turn)
        budget, member = tracker.scheduler.budget, id(tracker)
        own_ms = budget.limit_ms
        is_shared = isinstance(budget, TimeBudget)
        if is_shared:
            budget.limit_ms = self._shared.limit_ms(member, own_ms)
        try:
            result = tracker.step(turn.frame, found)
        except Exception as error:
            return error
        finally:
            budget.limit_ms = own_ms
        if is_shared:
            counts = result.embed
            waiting = counts.deferred + counts.starved > 0
            self._shared.settle(member, own_ms, counts.embed_ms, waiting=waiting)
        return result

    def _divide_time(self) -> None:
        """Let each camera that follows a frame rate have its part of a period."""
        for tracker in self._members:
            if isinstance(budget := tracker.scheduler.budget, FrameRateBudget):
                budget.divide(len(self._members))


def detect_together(turns: Sequence[Turn]) -> list[Supplied | MotError] | None:
    """Detect in the frames of all turns as one batch; None where each is better detected alone.

    Args:
        turns: of trackers; only those that share one detector make a batch.
    """
    trackers = [turn.system for turn in turns if isinstance(turn.system, ModularTracker)]
    if not all(t.wants_detection(turn.frame) for t, turn in zip(trackers, turns, strict=False)):
        return None
    detectors = {id(tracker.detector): tracker.detector for tracker in trackers}
    detector = next(iter(detectors.values()), None)
    if len(trackers) < 2 or len(detectors) != 1 or not isinstance(detector, BatchDetector):
        return None
    if not detector.gains_from_batches:
        return None
    started_s = perf_counter()
    try:
        found = detector.detect_batch([turn.frame for turn in turns])
    except MotError as error:
        return [error for _ in turns]
    part_ms = (perf_counter() - started_s) * 1000 / len(turns)
    return [
        Supplied(tracker.limit(detections), found_ms=part_ms)
        for tracker, detections in zip(trackers, found, strict=True)
    ]
