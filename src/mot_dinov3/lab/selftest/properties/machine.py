"""The tracker as a machine of states: whatever it is shown, identities stay what they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from mot_dinov3.config import AssociationConfig, MotionConfig, TrackerConfig
from mot_dinov3.tracking.tracker import Tracker
from mot_dinov3.values import (
    CONFIRMED,
    LOST,
    REMOVED,
    TENTATIVE,
    Detections,
    Embeddings,
    IntArray,
    Tracks,
    follow_ids,
)
from mot_dinov3.values.boxes import iou_matrix

WIDTH, HEIGHT, DIM = 640, 480, 4
FRAME_S = 1 / 30
MOST_ROUNDING_S = 1e-3

Row: TypeAlias = tuple[float, ...]

places = st.integers(-40, WIDTH)
sizes = st.sampled_from([0, 1, 20, 40, 200])
detections = st.lists(
    st.tuples(
        places,
        st.integers(-40, HEIGHT),
        sizes,
        sizes,
        st.sampled_from([0.0, 0.12, 0.3, 0.5, 0.9, 1.0]),
        st.integers(0, 2),
        st.sampled_from([-1, -1, 0, 1, 2, 3]),
    ),
    max_size=6,
)
"""left, top, width, height, score, class, and which look was embedded, -1 for none."""


class TrackerMachine(RuleBasedStateMachine):
    """Feeds a tracker with any frames, and checks after each what must hold."""

    def __init__(self) -> None:
        super().__init__()
        self.time_s = 0.0
        self.known: set[int] = set()
        self.states: dict[int, int] = {}
        self.unseen_s: dict[int, float] = {}
        self.last = np.empty((0, 4), np.float32)

    @initialize(
        max_lost_s=st.sampled_from([0.0, 0.05, 0.5, 1.8]),
        reid_s=st.sampled_from([0.0, 0.3, 10.0]),
        min_hits=st.integers(1, 4),
        greedy=st.booleans(),
        momentum=st.sampled_from([0.0, 0.2, 10.0]),
        re_update=st.booleans(),
        steady=st.booleans(),
        appearance=st.sampled_from([0.0, 0.6, 1.0]),
    )
    def begin(self, **chosen: Any) -> None:  # noqa: ANN401 - one value of each setting
        """Build a tracker with some settings."""
        self.max_lost_s, self.min_hits = chosen["max_lost_s"], chosen["min_hits"]
        config = TrackerConfig(
            max_lost_s=self.max_lost_s, reid_s=chosen["reid_s"], min_hits=self.min_hits
        )
        association = AssociationConfig(
            no_hungarian=chosen["greedy"],
            momentum=chosen["momentum"],
            appearance_weight=chosen["appearance"],
            recent_first=chosen["greedy"],
        )
        motion = MotionConfig(re_update=chosen["re_update"], steady=chosen["steady"])
        self.tracker = Tracker(config, 0.3, association, motion)

    @rule(rows=detections, step=st.sampled_from([1, 1, 1, 2, 15, 400]))
    def see(self, rows: Sequence[Row], step: int) -> None:
        """A frame with any boxes, `step` frames later."""
        self.show(rows, step * FRAME_S, None)

    @rule(shift=st.tuples(st.integers(-50, 50), st.integers(-50, 50)), look=st.integers(-1, 3))
    def see_all_again(self, shift: tuple[int, int], look: int) -> None:
        """The last boxes once more, all moved a little."""
        rows = [
            (x1 + shift[0], y1 + shift[1], x2 - x1, y2 - y1, 0.9, 0, look)
            for x1, y1, x2, y2 in self.last.tolist()
        ]
        self.show(rows, FRAME_S, None)

    @rule(
        rows=detections,
        angle=st.floats(-3.2, 3.2),
        zoom=st.sampled_from([0.5, 1.0, 1.3]),
        move=st.integers(-200, 200),
    )
    def see_after_a_turn(self, rows: Sequence[Row], angle: float, zoom: float, move: int) -> None:
        """A frame before which the camera turned, zoomed and moved."""
        across, down = zoom * np.cos(angle), zoom * np.sin(angle)
        camera = np.array([[across, -down, move], [down, across, -move]])
        self.show(rows, FRAME_S, camera)

    @rule()
    def see_nothing(self) -> None:
        """An empty frame."""
        self.show([], FRAME_S, None)

    def show(self, rows: Sequence[Row], step_s: float, camera: Any) -> None:  # noqa: ANN401 - None or (2, 3)
        """Track one frame and check everything."""
        self.time_s += step_s
        seen, embeddings = frame_of(rows)
        view = self.tracker.predict(self.time_s, seen, camera)
        scene = self.tracker.compare(seen, view)
        tracks = self.tracker.update(scene, embeddings, view)
        self.last = seen.xyxy
        self.check_rows(tracks, seen, embeddings)
        self.check_lives(tracks, step_s)

    def check_rows(self, tracks: Tracks, seen: Detections, embeddings: Embeddings) -> None:
        """Every track has its own detection or none, and everything is a number."""
        assert np.isfinite(tracks.xyxy).all()
        assert ((tracks.score >= 0) & (tracks.score <= 1)).all()
        here = tracks.detection >= 0
        used: IntArray = tracks.detection[here]
        assert len(np.unique(used)) == len(used)
        assert (used < len(seen)).all()
        np.testing.assert_array_equal(tracks.xyxy[here], seen.xyxy[used])
        assert not tracks.fresh[~here].any()
        assert not (tracks.fresh[here] & ~embeddings.fresh[used]).any()
        np.testing.assert_array_equal(tracks.state == LOST, ~here)
        assert np.isfinite(iou_matrix(tracks.xyxy, seen.xyxy)).all()

    def check_lives(self, tracks: Tracks, step_s: float) -> None:
        """Identities ascend without gaps, live by the rules, and are gone when they must be."""
        ids = tracks.id.tolist()
        assert len(set(ids)) == len(ids)
        born = {i for i in ids if i > 0} - self.known
        assert sorted(born) == list(range(len(self.known) + 1, len(self.known) + len(born) + 1))
        self.known |= born
        follow_ids(self.states, tracks)
        follow_ids(self.unseen_s, tracks)
        for i, state, row in zip(ids, tracks.state.tolist(), tracks.detection, strict=True):
            assert state != REMOVED
            assert (state == TENTATIVE) == (i < 0)
            was = self.states.get(i)
            assert not (was in (CONFIRMED, LOST) and state == TENTATIVE)
            assert not (was == TENTATIVE and state == LOST)
            assert not (was is None and state == LOST)
            self.states[i] = state
            self.unseen_s[i] = 0.0 if row >= 0 else self.unseen_s.get(i, 0.0) + step_s
            assert row >= 0 or self.unseen_s[i] <= self.max_lost_s + MOST_ROUNDING_S
        assert self.tracker.confirmed == len(self.known) <= self.tracker.initiated


def frame_of(rows: Sequence[Row]) -> tuple[Detections, Embeddings]:
    """Detections and embeddings from rows as `detections` invents them."""
    n = len(rows)
    table = np.array(rows, np.float32).reshape(n, 7)
    xyxy = np.concatenate((table[:, :2], table[:, :2] + table[:, 2:4]), axis=1)
    look = table[:, 6].astype(np.int64)
    fresh = look >= 0
    vectors = np.zeros((n, DIM), np.float32)
    vectors[fresh, look[fresh]] = 1
    seen = Detections(xyxy, table[:, 4], table[:, 5].astype(np.int64))
    return seen, Embeddings(vectors, fresh, fresh.copy())
