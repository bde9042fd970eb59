"""What a modular tracker does where there is no detection: it searches, and says when to detect."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from statistics import median
from time import perf_counter

import numpy as np

from mot_dinov3.config.tracking.search import AUTO, SearchConfig
from mot_dinov3.perception.searchers.base import Finds, Searcher
from mot_dinov3.perception.searchers.change import PictureChange
from mot_dinov3.runtime.timing import Clock, StageTimer
from mot_dinov3.scheduling.budget import Budget, TimeBudget, Unlimited
from mot_dinov3.scheduling.cost_model import CostModel
from mot_dinov3.scheduling.detecting import (
    Evidence,
    count_least_frames,
    create_detection_policy,
)
from mot_dinov3.systems.finds import Embed, FindJudge
from mot_dinov3.tracking.tracker import Tracker
from mot_dinov3.values import (
    BoolArray,
    FloatArray,
    Frame,
    IntArray,
    Tracks,
)

USUAL = 15
"""Frames whose median says what a stage takes."""
TRY_AFTER = 10
"""Frames that are detected because a search would take longer, until one is tried again."""


class Search:
    """Follows the tracks of a clip through frames without detections of them.

    Attributes:
        searcher: finds them; it follows nothing of another clip.
        admit: answers in place of the clock and of a policy that looks at it; for `--resume`.
    """

    def __init__(
        self,
        searcher: Searcher,
        config: SearchConfig,
        period_ms: float = 0.0,
        clock: Clock = perf_counter,
        *,
        stored: bool = False,
    ) -> None:
        """Begin a clip.

        Args:
            searcher: finds tracks again.
            config: when to detect, and what is rescued.
            period_ms: what a frame may take in all, 0 for no limit.
            clock: returns seconds.
            stored: the detector repeats stored boxes, so that what it takes says nothing.
        """
        self.searcher = searcher
        self.admit: Callable[[Callable[[], int]], int] = lambda ask: ask()
        self._config, self._clock = config, clock
        self._policy = create_detection_policy(config)
        self._weighs_costs = config.det_every == AUTO and not stored
        self._change = PictureChange() if self._policy.looks_for_change else None
        self._budget = create_rescue_budget(config, clock)
        self._costs = SearchCosts(period_ms)
        self._last: tuple[Frame, Tracks] | None = None
        self._followed: set[int] = set()
        self._judge = FindJudge()
        self._unsure: set[int] = set()
        self._decided = (-1, True)
        self._took_ms = (0.0, 0.0)
        self._detected_s = 0.0

    def wants_detection(self, frame: Frame) -> bool:
        """Whether the detector should be asked about the next frame; the same if asked twice."""
        if self._decided[0] != frame.index:
            wants = bool(self.admit(lambda: int(self._decide(frame))))
            self._policy.settle(wants)
            self._decided = (frame.index, wants)
        return self._decided[1]

    def _decide(self, frame: Frame) -> bool:
        tracks = Tracks.empty() if self._last is None else self._last[1]
        boxes = tracks.xyxy[tracks.placed]
        evidence = Evidence(
            tracks,
            np.isin(tracks.id, list(self._unsure)),
            (frame.width, frame.height),
            changed=self._change is not None and self._change.measure(frame, boxes),
            least_frames=self._costs.least_frames,
            since_s=frame.time_s - self._detected_s,
        )
        wants = self._policy.decide(evidence)
        return wants or (self._weighs_costs and self._costs.is_dear(len(boxes)))

    def coast(self, frame: Frame, tracker: Tracker, timer: StageTimer) -> Tracks:
        """Carry tracks through a frame that the detector is not asked about.

        Args:
            frame: the picture, whose tracks are predicted already.
            tracker: of the clip.
            timer: where "search" is booked.
        """
        tracks = tracker.coast()
        most = self._config.rescue_max if self._config.rescue else 0
        unseen = tracker.unseen
        wanted = unseen.list_targets(tracks, most)
        started = self._clock()
        with timer("search"):
            rows, finds = self._seek(frame, tracks, wanted)
            sure = self._find_sure(frame, finds)
            tracks = unseen.carry(tracks, rows[sure], finds.xyxy[sure], finds.score[sure])
            tracks = unseen.trust(tracks, self._find_inside(frame, tracks.xyxy))
        if len(rows):
            self._costs.model.observe(len(rows), (self._clock() - started) * 1000)
        self._unsure = set(tracks.id[wanted].tolist()) - set(tracks.id[rows[sure]].tolist())
        self._note(frame, tracks, timer)
        return tracks

    def _note(self, frame: Frame, tracks: Tracks, timer: StageTimer) -> None:
        self._forget(self._followed - set(tracks.id.tolist()))
        self._last = (frame, tracks)
        taken = timer.stage_ms
        self._took_ms = taken.get("detect", 0.0), taken.get("search", 0.0)

    def conclude(
        self, frame: Frame, tracks: Tracks, tracker: Tracker, timer: StageTimer, embed: Embed | None
    ) -> Tracks:
        """End a frame with detections: with `rescue`, search for the tracks that miss theirs.

        Args:
            frame: the picture.
            tracks: what `tracker` says of it.
            tracker: of the clip.
            timer: where "search" is booked.
            embed: describes boxes (M, 4) by (M, D) unit rows; None without an embedder.
        """
        self._forget(set(tracks.id[tracks.detection >= 0].tolist()))
        self._unsure = set()
        self._detected_s = frame.time_s
        if self._config.rescue:
            with timer("search"):
                tracks = self._rescue(frame, tracks, tracker, embed)
        if self._change is not None:
            self._change.restart(frame, tracks.xyxy[tracks.placed])
        self._note(frame, tracks, timer)
        return tracks

    def pace(self, other_ms: float) -> float:
        """Record what the last frame took beside embedding; returns what a mean one takes."""
        return self._costs.pace(other_ms, *self._took_ms)

    def _rescue(
        self, frame: Frame, tracks: Tracks, tracker: Tracker, embed: Embed | None
    ) -> Tracks:
        unseen = tracker.unseen
        wanted = unseen.list_targets(tracks, self._config.rescue_max)
        wanted = wanted[tracks.id[wanted] > 0]
        self._budget.open()
        self._show_new(tracks.id[wanted])  # those that do not fit now may be searched later
        count = self.admit(lambda: self._budget.fits(len(wanted), len(wanted)))
        rows, started = wanted[:count], self._clock()
        rows, finds = self._seek(frame, tracks, rows)
        sure = self._find_sure(frame, finds)
        likely = Finds(finds.xyxy[sure], finds.score[sure])
        sure[sure] = self._judge.judge(frame, tracks, rows[sure], likely, unseen, embed)
        if len(rows):
            self._budget.charge(len(rows), (self._clock() - started) * 1000)
        self._budget.close(len(wanted) - count, count)
        return unseen.carry(tracks, rows[sure], finds.xyxy[sure], finds.score[sure])

    def _seek(self, frame: Frame, tracks: Tracks, rows: IntArray) -> tuple[IntArray, Finds]:
        """Search for rows of `tracks`; those that no frame showed are left out of what returns."""
        self._show_new(tracks.id[rows])
        rows = rows[np.isin(tracks.id[rows], list(self._followed))]
        if not len(rows):
            return rows, Finds.nothing(tracks.xyxy[rows])
        return rows, self.searcher.search(frame, tracks.id[rows], tracks.xyxy[rows])

    def _show_new(self, ids: IntArray) -> None:
        """Show the searcher those of `ids` that it does not follow, as they were a frame before."""
        if self._last is None:
            return
        frame, tracks = self._last
        new = [n for n in ids.tolist() if n not in self._followed]
        rows = np.flatnonzero(np.isin(tracks.id, new) & tracks.placed)
        if len(rows):
            self.searcher.show(frame, tracks.id[rows], tracks.xyxy[rows])
            self._followed |= set(tracks.id[rows].tolist())
            if self._config.rescue:
                self._judge.note(frame, tracks, rows)

    def _find_sure(self, frame: Frame, finds: Finds) -> BoolArray:
        """(T,) the finds that may be believed: sure ones whose middle is in the picture."""
        inside = self._find_inside(frame, finds.xyxy)
        return np.asarray(inside & (finds.score >= self.searcher.sure), np.bool_)

    def _find_inside(self, frame: Frame, xyxy: FloatArray) -> BoolArray:
        """(M,) the boxes (M, 4) whose middle is in the picture."""
        centre = (xyxy[:, :2] + xyxy[:, 2:]) / 2
        return np.asarray(((centre >= 0) & (centre < (frame.width, frame.height))).all(1), np.bool_)

    def _forget(self, ids: set[int]) -> None:
        """Let go what a detection shows anew, or what is gone, of which a picture may be kept."""
        gone = self._followed & ids
        if gone:
            self.searcher.forget(np.array(sorted(gone), np.int64))
            self._followed -= gone
            self._judge.forget(gone)


class SearchCosts:
    """What frames with and without a detection take, in milliseconds.

    Attributes:
        model: what the search for so many targets takes.
    """

    def __init__(self, period_ms: float) -> None:
        """Keep a frame at `period_ms` on average, 0 for no limit."""
        self.model = CostModel()
        self._period_ms = period_ms
        self._dear_frames = 0
        self._detect_ms: deque[float] = deque(maxlen=USUAL)
        self._search_ms: deque[float] = deque(maxlen=USUAL)
        self._other_ms: deque[float] = deque(maxlen=2 * USUAL)
        self._all_ms: deque[float] = deque(maxlen=2 * USUAL)

    @property
    def least_frames(self) -> int:
        """Frames from one detection to the next that keep the period."""
        if not self._detect_ms or not self._search_ms:
            return 1
        parts = (median(self._detect_ms), median(self._search_ms), median(self._other_ms))
        return count_least_frames(self._period_ms, *parts)

    def is_dear(self, targets: int) -> bool:
        """Whether to search for so many targets takes longer than to detect.

        Where it does, it is tried again from time to time: a slow moment is no measure for all.
        """
        usual_ms = self.model.typical_ms(targets) if targets else 0.0
        dear = bool(self._detect_ms) and usual_ms > median(self._detect_ms)
        self._dear_frames = self._dear_frames + 1 if dear else 0
        return dear and self._dear_frames % TRY_AFTER != 0

    def pace(self, other_ms: float, detect_ms: float, search_ms: float) -> float:
        """Take in a frame; returns the mean of all stages beside embedding of recent frames."""
        (self._detect_ms if detect_ms else self._search_ms).append(detect_ms or search_ms)
        self._other_ms.append(other_ms - detect_ms - search_ms)
        self._all_ms.append(other_ms)
        return sum(self._all_ms) / len(self._all_ms)


def create_rescue_budget(config: SearchConfig, clock: Clock) -> Budget:
    """What `--rescue` may spend in a frame."""
    if not config.rescue_budget_ms:
        return Unlimited(CostModel())
    return TimeBudget(config.rescue_budget_ms, CostModel(), clock)
