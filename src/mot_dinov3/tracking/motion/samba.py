"""`samba`: Kalman filters, corrected by a network that has learned how tracks move together.

The network (`samba_network.py`) is told of every track's velocity, what its last prediction missed
by, and whether it was seen. It remembers each in a state space model and lets tracks hear each
other, so that a hidden one goes where its neighbours show that it went. Its answers correct the
prediction of a Kalman filter; a network that learned nothing answers zero, which is that filter.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self, cast

import numpy as np

from mot_dinov3.config import MotionConfig
from mot_dinov3.errors import ModelError, UsageError
from mot_dinov3.io.checkpoint import load_checkpoint
from mot_dinov3.tracking.motion.base import REFERENCE_FPS, MotionModel
from mot_dinov3.tracking.motion.kalman import KalmanMotion
from mot_dinov3.tracking.motion.samba_network import (
    MOST_MISSES,
    POSITION_SCALE,
    REACH,
    TOKEN_SCALE,
    TOKENS,
    VELOCITY_SCALE,
    Look,
    SambaNetwork,
    TrainedNetwork,
    read_network,
)
from mot_dinov3.values import BoolArray, DoubleArray, FloatArray, IntArray
from mot_dinov3.values.boxes import xyxy_to_cxcywh
from mot_dinov3.wording import program

KIND = "samba"
"""Of its checkpoints."""
MOST_TOKEN = np.float32(5)
SPOKEN = np.array([4, 5, 0, 1])
"""Of the tokens, what others hear: surprise and velocity of the centre."""


@dataclass(slots=True)
class Past:
    """What the network is told of T tracks, and what it remembers of them.

    Attributes:
        seen: (T,) whether each was seen since the last prediction.
        score: (T,) float32 confidence of that detection, 0 if unseen.
        misses: (T,) float32 predictions in a row that nothing followed.
        age: (T,) float32 reference frames since it was first seen.
        surprise: (T, 4) what its last prediction missed by, in pixels, 0 if unseen.
        log_variance: (T, 2) what the network adds to the logarithm of the centre's variance.
        state: (T, N, D) float32 memory of the scan.
        before: (T, W, D) float32 inputs of the last frames.
    """

    seen: BoolArray
    score: FloatArray
    misses: FloatArray
    age: FloatArray
    surprise: DoubleArray
    log_variance: DoubleArray
    state: FloatArray
    before: FloatArray

    @classmethod
    def start(cls, score: FloatArray, network: SambaNetwork) -> Self:
        """Of tracks that are seen for the first time, with confidence (N,)."""
        n = len(score)
        return cls(
            seen=np.ones(n, np.bool_),
            score=score.astype(np.float32),
            misses=np.zeros(n, np.float32),
            age=np.zeros(n, np.float32),
            surprise=np.zeros((n, 4)),
            log_variance=np.zeros((n, 2)),
            state=np.zeros((n, network.states, network.dim), np.float32),
            before=np.zeros((n, network.width - 1, network.dim), np.float32),
        )

    def select(self, rows: IntArray | BoolArray) -> Self:
        """A copy of some tracks."""
        return type(self)(*(getattr(self, item.name)[rows] for item in fields(self)))

    def store(self, rows: IntArray | BoolArray, other: Self) -> None:
        """Replace some tracks by others."""
        for item in fields(self):
            getattr(self, item.name)[rows] = getattr(other, item.name)

    def extend(self, other: Self) -> Self:
        """These tracks and then the others."""
        pairs = ((getattr(self, item.name), getattr(other, item.name)) for item in fields(self))
        return type(self)(*(np.concatenate(pair) for pair in pairs))


class SambaMotion(MotionModel):
    """`samba:CKPT`; see `MotionModel` for what every method is for.

    Attributes:
        config: the noise of the filters.
        filters: Kalman filters of T boxes.
        past: what the network knows of them.
        moved: (2,) pixels by which all were shifted since the last prediction.
    """

    def __init__(
        self, config: MotionConfig, argument: str = "", trained: TrainedNetwork | None = None
    ) -> None:
        """Begin without tracks.

        Args:
            config: the noise of the filters.
            argument: the folder of a run of `train samba`, or of a checkpoint.
            trained: a network in memory, in the place of `argument`.

        Raises:
            UsageError: no network is named.
            ModelError: it cannot be used.
        """
        self.config, self._trained = config, trained or load_network(argument)
        self._network = self._trained.network
        self.filters = KalmanMotion(config)
        self.past = Past.start(np.zeros(0, np.float32), self._network)
        self.moved: DoubleArray = np.zeros(2)

    @property
    def fingerprint(self) -> str:
        """Tells its weights from others."""
        return self._trained.digest

    def __len__(self) -> int:
        return len(self.filters)

    def initiate(self, xyxy: FloatArray, score: FloatArray) -> None:
        """Append tracks."""
        self.filters.initiate(xyxy, score)
        self.past = self.past.extend(Past.start(score, self._network))

    def keep(self, rows: IntArray | BoolArray) -> None:
        """Drop every track that is not in `rows`, with its memory."""
        self.filters.keep(rows)
        self.past = self.past.select(rows)

    def extend(self, other: Self) -> None:
        """Append the tracks of `other`."""
        self.filters.extend(other.filters)
        self.past = self.past.extend(other.past)

    def select(self, rows: IntArray | BoolArray) -> Self:
        """A copy of the tracks `rows`."""
        out = type(self)(self.config, trained=self._trained)
        out.filters, out.past = self.filters.select(rows), self.past.select(rows)
        out.moved = self.moved
        return out

    def store(self, rows: IntArray | BoolArray, other: Self) -> None:
        """Replace the tracks `rows` by those of `other`."""
        self.filters.store(rows, other.filters)
        self.past.store(rows, other.past)

    def predict(self, step_s: float, coasting: BoolArray) -> None:
        """Move every filter ahead, and then by what the network answers."""
        if not len(self):
            return
        past, position = self.past, self.filters.position
        step, unit = step_s * REFERENCE_FPS, _measure(position)
        answers = self._network.step(self._look(step, unit), past.state, past.before)
        reached = (REACH * np.tanh(answers / REACH)).astype(np.float64)
        reached[past.seen] = 0
        self.filters.predict(step_s, coasting)
        position += step * POSITION_SCALE * unit * reached[:, :4]
        np.maximum(position[:, 2:], 1.0, out=position[:, 2:])
        self.filters.velocity[:, :2] += step * VELOCITY_SCALE * unit * reached[:, 4:6]
        past.log_variance = reached[:, 6:]
        past.misses += 1
        past.age += np.float32(step)
        past.seen[:], past.score[:], past.surprise[:] = False, 0, 0
        self.moved = np.zeros(2)

    def _look(self, step: float, unit: DoubleArray) -> Look:
        """Tell the network of the tracks, whose sizes are `unit` (T, 1)."""
        past, position = self.past, self.filters.position
        speaks = past.misses <= MOST_MISSES
        heard = np.log(unit[speaks] if speaks.any() else unit)
        common = float(np.exp(heard.sum() / len(heard)))
        tokens = np.empty((len(unit), TOKENS), np.float32)
        moves = tokens[:, :10]
        moves[:, :4], moves[:, 4:8] = self.filters.velocity, past.surprise
        moves[:, 8:] = self.moved
        moves *= TOKEN_SCALE / unit
        np.minimum(np.maximum(moves, -MOST_TOKEN, out=moves), MOST_TOKEN, out=moves)
        tokens[:, 10], tokens[:, 11], tokens[:, 12] = past.seen, past.score, step / 2
        np.log1p(past.misses, out=tokens[:, 13])
        np.log1p(past.age, out=tokens[:, 14])
        tokens[:, 13:15] /= 3
        tokens[:, 15] = np.log(position[:, 3] / position[:, 2])
        share = (unit / common).astype(np.float32)
        return Look(
            tokens=tokens,
            seen=tokens[:, 10],
            speaks=speaks,
            places=(position[:, :2] / common).astype(np.float32),
            news=tokens[:, SPOKEN] * share,
            unit=np.float32(1) / share[:, 0],
            step=step,
        )

    def update(self, rows: IntArray, xyxy: FloatArray, score: FloatArray) -> None:
        """Correct the filters of tracks that were seen, and note what they missed by."""
        past = self.past
        past.surprise[rows] = xyxy_to_cxcywh(xyxy) - self.filters.position[rows]
        past.seen[rows], past.score[rows], past.misses[rows] = True, score, 0
        self.filters.update(rows, xyxy, score)

    def restart(self, rows: IntArray, xyxy: FloatArray) -> None:
        """Forget the past of tracks that came back at other places."""
        self.filters.restart(rows, xyxy)
        self.past.store(rows, Past.start(np.ones(len(rows), np.float32), self._network))

    def shift(self, offset: DoubleArray) -> None:
        """Move every predicted centre; the network hears of it."""
        self.filters.shift(offset)
        self.moved = self.moved + offset

    def warp(self, affine: DoubleArray) -> None:
        """Carry all filters through a camera motion."""
        self.filters.warp(affine)

    def xyxy(self) -> FloatArray:
        """(T, 4) float32 predicted boxes."""
        return self.filters.xyxy()

    def ahead(self, step_s: float) -> FloatArray:
        """(T, 4) float32 boxes `step_s` seconds later."""
        return self.filters.ahead(step_s)

    def gate_distance(self, xyxy: FloatArray, rows: IntArray) -> FloatArray:
        """(M,) squared Mahalanobis distances, in the variance that the network believes in."""
        return self.filters.gate_distance(xyxy, rows, np.exp(self.past.log_variance[rows]))


def load_network(argument: str) -> TrainedNetwork:
    """The network of a checkpoint.

    Raises:
        UsageError: none is named.
        ModelError: there is none, or it is damaged or of another kind.
    """
    if not argument:
        raise UsageError(
            "--motion samba needs a trained network.",
            fix=f"Give --motion samba:DIR, the --out folder of a '{program()} train samba'.",
        )
    try:
        return read_network(load_checkpoint(Path(argument).expanduser(), KIND).weights)
    except (KeyError, ValueError) as error:
        raise ModelError(
            f"The weights in '{argument}' are not those of this network: {error}.",
            fix=f"Train it again: {program()} train samba.",
        ) from error


def _measure(position: DoubleArray) -> DoubleArray:
    """(T, 1) root of the area of boxes (T, 4), a pixel at least."""
    return cast("DoubleArray", np.sqrt(np.maximum(position[:, 2:3] * position[:, 3:4], 1.0)))
