"""The network of `samba` in numpy: `nets/samba/cell.py`, one frame at a time.

What is said there of every part holds here; the weights bear the same names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from mot_dinov3.values import BoolArray, FloatArray, IntArray

TOKEN_SCALE = 10.0
"""Motion is told in tenths of a box's size, so that usual numbers are about one."""
POSITION_SCALE, VELOCITY_SCALE = 0.1, 0.03
"""What an answer of one moves a box by, and changes its velocity by, in its sizes a step."""
REACH = 3.0
"""Answers beyond this have hardly more effect."""
MOST_MISSES = 2
"""A track that was missed more often in a row is not heard by others."""
MOST_SPEAKERS = 128
"""Of more, the largest speak for all: attention takes the square of the time."""
MOST_PACE = np.float32(30)
"""A step is no longer than this; what it came from could be too large for an exponent."""
TOKENS, NEWS, OUTPUTS = 16, 4, 8
EPSILON = 1e-5
AT_ONCE = 64
"""Tracks whose memories stay in the processor's cache."""

Weights = Mapping[str, NDArray[Any]]


class Look(NamedTuple):
    """What is known of T tracks before a frame.

    Attributes:
        tokens: (T, TOKENS) descriptions.
        seen: (T,) 1 where a track was seen in the last frame, else 0.
        speaks: (T,) tracks that others hear.
        places: (T, 2) centres, in a unit that all share.
        news: (T, NEWS) what moved each, in that unit.
        unit: (T,) that unit, as a multiple of each track's own box.
        step: time since the last frame, in reference frames.
    """

    tokens: FloatArray
    seen: FloatArray
    speaks: BoolArray
    places: FloatArray
    news: FloatArray
    unit: FloatArray
    step: float


class SambaNetwork:
    """The weights, laid out for speed.

    Attributes:
        dim: length of a track's description.
        states: memories of each number of it.
        width: frames that the causal convolution looks at.
        heads: of the attention between tracks, 0 without.
    """

    def __init__(self, weights: Weights) -> None:
        """Lay out the weights of a `SambaCell`.

        Raises:
            KeyError: one is missing.
            ValueError: one has another shape than the rest asks for.
        """
        at = {name: np.asarray(value, np.float32) for name, value in weights.items()}
        self._weights = at
        self.dim, self.states = at["decay_log"].shape
        self.width = len(at["conv"])
        self.heads = len(at["near"]) if "near" in at else 0
        _check_shapes(at, self.heads)
        self._decay = -_transpose(np.exp(at["decay_log"]))
        self._pace = _transpose(at["pace_out.weight"] @ at["pace_in.weight"])
        self._from_x = np.concatenate((self._pace, at["select.weight"].T), axis=1)
        self._from_entered = _transpose(
            np.concatenate((at["enter.weight"], at["gate.weight"] @ at["enter.weight"]))
        )
        self._entered_bias = np.concatenate(
            (at["enter.bias"], at["gate.weight"] @ at["enter.bias"])
        )
        if self.heads:
            self._from_y = _transpose(np.concatenate((at["ask.weight"], at["say.weight"])))
            self._hear, self._direct = at["hear.weight"].T, at["direct.weight"].T
            self._gain, self._near = np.tanh(at["gain"]), at["near"][:, None, None]
            self._depth = len(at["ask.weight"]) // (2 * self.heads)
        self._mix, self._leave = _transpose(at["mix.weight"]), _transpose(at["leave.weight"])

    def step(self, look: Look, state: FloatArray, before: FloatArray) -> FloatArray:
        """Go on by one frame, which both memories remember.

        Args:
            look: what is known of the tracks.
            state: (T, N, D) memory of the scan, changed in place.
            before: (T, width - 1, D) inputs of the last frames, changed in place.

        Returns:
            (T, OUTPUTS) answers.
        """
        at, dim = self._weights, self.dim
        both = look.tokens @ self._from_entered + self._entered_bias
        entered, gate = both[:, :dim], both[:, dim:]
        x = entered * at["conv"][-1]
        x += at["conv_bias"]
        for past in range(self.width - 1):
            x += before[:, past] * at["conv"][past]
        before[:, :-1] = before[:, 1:]
        before[:, -1] = entered
        y, read_out = self._scan(_silu(x), look, state)
        heard = np.zeros((len(x), len(self._mix) - dim), np.float32)
        if self.heads:
            told, heard = self._listen(y, look)
            for some in _split(len(x)):
                state[some] += told[some, None, :] * at["write"][:, None]
            told *= (read_out @ at["write"])[:, None]
            y += told
        power = np.einsum("td,td->t", y, y)[:, None] * np.float32(1 / dim) + np.float32(EPSILON)
        y /= np.sqrt(power)
        y *= _silu(gate)
        y *= at["even"]
        hidden = _silu(np.concatenate((y, heard), axis=1) @ self._mix + at["mix.bias"])
        out = hidden @ self._leave + at["leave.bias"]
        if self.heads:
            out += heard @ self._direct
        return cast("FloatArray", out)

    def _scan(self, x: FloatArray, look: Look, state: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(T, D) what is read from the state after the frame, and (T, N) what reads it."""
        dim, states = self.dim, self.states
        made = x @ self._from_x
        pace = made[:, :dim] + self._weights["pace_out.bias"]
        pace = np.log1p(np.exp(np.minimum(pace, MOST_PACE)))
        pace *= np.float32(look.step)
        write_in, read_out = made[:, dim : dim + states], made[:, dim + states :]
        push = pace * x
        push *= look.seen[:, None]
        y = self._weights["skip"] * x
        for some in _split(len(x)):
            stay = pace[some, None, :] * self._decay
            part = state[some]
            part *= np.exp(stay, out=stay)
            part += np.multiply(write_in[some, :, None], push[some, None, :], out=stay)
            y[some] += (read_out[some, None, :] @ part)[:, 0]
        return y, read_out

    def _listen(self, y: FloatArray, look: Look) -> tuple[FloatArray, FloatArray]:
        """(T, D) what tracks hear for their memory, and (T, heads * NEWS) news."""
        heads, depth, dim = self.heads, self._depth, self.dim
        speakers = choose_speakers(look)
        made = y @ self._from_y
        ask = made[:, : heads * depth].reshape(-1, heads, depth).transpose(1, 0, 2)
        spoken = made[speakers]
        key = spoken[:, heads * depth : 2 * heads * depth].reshape(-1, heads, depth)
        said = np.empty((heads, len(speakers), dim // heads + NEWS), np.float32)
        said[..., :-NEWS] = (
            spoken[:, 2 * heads * depth :].reshape(-1, heads, dim // heads).transpose(1, 0, 2)
        )
        said[..., -NEWS:] = look.news[speakers]
        key = key.transpose(1, 2, 0) * np.float32(depth**-0.5)
        found = np.empty((len(y), heads, dim // heads + NEWS), np.float32)
        for some in _split(len(y)):
            score = ask[:, some] @ key
            score += self._near / _measure_distance(look.places[some], look.places[speakers])
            own = (speakers >= some.start) & (speakers < some.stop)
            score[:, speakers[own] - some.start, own] = -np.inf
            score -= score.max(axis=2, keepdims=True, initial=np.float32(-1e9))
            weight = np.exp(score, out=score)
            weight /= np.maximum(weight.sum(axis=2, keepdims=True), np.float32(1e-30))
            found[some] = (weight @ said).transpose(1, 0, 2)
        heard = found[..., -NEWS:].reshape(len(y), -1) * look.unit[:, None]
        told = found[..., :-NEWS].reshape(len(y), -1) + heard @ self._hear
        told *= self._gain
        return told, heard


def _split(count: int) -> list[slice]:
    """Parts of so many rows whose memories stay in the processor's cache."""
    return [slice(first, min(first + AT_ONCE, count)) for first in range(0, count, AT_ONCE)]


@dataclass(frozen=True, slots=True)
class TrainedNetwork:
    """A network that motion models share.

    Attributes:
        network: what it computes.
        digest: tells its weights from others.
    """

    network: SambaNetwork
    digest: str


def read_network(weights: Weights) -> TrainedNetwork:
    """The network of weights that lie in memory.

    Raises:
        KeyError: one is missing.
        ValueError: one has another shape than the rest asks for.
    """
    return TrainedNetwork(SambaNetwork(weights), digest_weights(weights))


def digest_weights(weights: Weights) -> str:
    """A hash of all weights and their names."""
    out = hashlib.sha256()
    for name in sorted(weights):
        out.update(name.encode() + np.ascontiguousarray(weights[name]).tobytes())
    return out.hexdigest()


def choose_speakers(look: Look) -> IntArray:
    """(K,) the tracks that others hear, `MOST_SPEAKERS` at most."""
    rows = np.flatnonzero(look.speaks)
    if len(rows) > MOST_SPEAKERS:
        rows = np.sort(rows[np.argsort(look.unit[rows], kind="stable")[:MOST_SPEAKERS]])
    return rows


def _measure_distance(places: FloatArray, others: FloatArray) -> FloatArray:
    """(T, K) one more than the squared distances of places (T, 2) from others (K, 2)."""
    along, down = (places[:, axis, None] - others[:, axis] for axis in (0, 1))
    along *= along
    down *= down
    along += down
    along += 1
    return cast("FloatArray", along)


def _check_shapes(at: Mapping[str, FloatArray], heads: int) -> None:
    """Raises ValueError where a weight does not fit the others."""
    dim, states = at["decay_log"].shape
    hidden, rank = len(at["mix.bias"]), len(at["pace_in.weight"])
    told = heads * NEWS if heads else at["mix.weight"].shape[1] - dim
    wanted: dict[str, tuple[int, ...]] = {
        "enter.weight": (dim, TOKENS),
        "enter.bias": (dim,),
        "conv": (len(at["conv"]), dim),
        "conv_bias": (dim,),
        "pace_in.weight": (rank, dim),
        "pace_out.weight": (dim, rank),
        "pace_out.bias": (dim,),
        "select.weight": (2 * states, dim),
        "skip": (dim,),
        "even": (dim,),
        "gate.weight": (dim, dim),
        "mix.weight": (hidden, dim + told),
        "leave.weight": (OUTPUTS, hidden),
        "leave.bias": (OUTPUTS,),
    }
    if heads:
        asked = len(at["ask.weight"])
        wanted |= {
            "ask.weight": (asked - asked % (2 * heads), dim),
            "say.weight": (dim, dim),
            "hear.weight": (dim, told),
            "gain": (dim,),
            "write": (states,),
            "direct.weight": (OUTPUTS, told),
        }
    for name, shape in wanted.items():
        if at[name].shape != shape:
            raise ValueError(f"{name} has shape {at[name].shape}, not {shape}")


def _transpose(matrix: FloatArray) -> FloatArray:
    return np.ascontiguousarray(matrix.T)


def _silu(x: FloatArray) -> FloatArray:
    half = np.float32(0.5) * x
    return cast("FloatArray", half + half * np.tanh(half))
