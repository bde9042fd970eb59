"""A recorded source: what was seen, what it looked like, what it cost, and what was true."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from mot_dinov3 import __version__
from mot_dinov3.errors import UsageError
from mot_dinov3.io.formats.mot import MotTable
from mot_dinov3.lab.recordings.clock import CostTable
from mot_dinov3.lab.recordings.tape import Tape
from mot_dinov3.values import FloatArray
from mot_dinov3.wording import counted

FORMAT = 2
"""The layout of the file. Format 1 had no cheap evidence and no passes over whole pictures."""

READABLE = (1, FORMAT)


@dataclass(frozen=True, slots=True)
class Origin:
    """Which pictures were recorded.

    Attributes:
        name: how messages call the source.
        width: pixels across.
        height: pixels down.
        fps: nominal frames per second.
        frames: how many were recorded.
        content: sha256 of their pixels and times.
    """

    name: str
    width: int
    height: int
    fps: float
    frames: int
    content: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """What looked at them; two recordings can be compared when all this is the same.

    Attributes:
        detector: title of the detector.
        detector_weights: its fingerprint.
        embedder: title of the embedder, "none" without.
        embedder_weights: its fingerprint, "" without.
        settings: detector, crop and precision settings that decide the numbers, by key.
    """

    detector: str
    detector_weights: str
    embedder: str
    embedder_weights: str
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cache:
    """Everything that a replay needs of one source.

    Attributes:
        origin: which pictures.
        recipe: which models.
        tape: detections and embeddings, aligned, of all frames.
        costs: what the work cost.
        truth: the known identities, or None.
        warps: (F, 2, 3) camera motion into each frame from the one before, or None.
        repeated: fingerprint of the file of detections that was repeated, "" if none.
        version: of the package that recorded it.
    """

    origin: Origin
    recipe: Recipe
    tape: Tape
    costs: CostTable
    truth: MotTable | None = None
    warps: FloatArray | None = None
    repeated: str = ""
    version: str = field(default=__version__)

    @property
    def dim(self) -> int:
        """Length of a vector, 0 where nothing was embedded."""
        return self.tape.dim

    @property
    def conf(self) -> float:
        """Confidence from which a detection was strong."""
        return float(self.recipe.settings.get("conf", 0.3))


def differences(a: Recipe, b: Recipe) -> list[str]:
    """What sets two recipes apart, in words; empty when results can be compared."""
    out = []
    for kind in ("detector", "embedder"):
        if getattr(a, f"{kind}_weights") != getattr(b, f"{kind}_weights"):
            titles = getattr(a, kind), getattr(b, kind)
            same_title = " with other weights" if titles[0] == titles[1] else ""
            out.append(f"{kind} {titles[0]} and {titles[1]}{same_title}")
    for key in sorted({*a.settings, *b.settings}):
        first, second = a.settings.get(key), b.settings.get(key)
        if first != second:
            out.append(f"{key} {first} and {second}")
    return out


def require_comparable(caches: Mapping[str, Cache]) -> None:
    """Refuse to put recordings into one table that other models or settings made.

    Args:
        caches: by the name of their file.

    Raises:
        UsageError: names two files and what sets them apart.
    """
    (first_name, first), *others = caches.items()
    for name, cache in others:
        if apart := differences(first.recipe, cache.recipe):
            raise UsageError(
                f"'{first_name}' and '{name}' cannot be compared: {'; '.join(apart)}.",
                fix="Replay them apart, or cache all sources with the same flags.",
            )


def require_same(name: str, kept: Cache, wanted: Cache | tuple[Origin, Recipe, str]) -> None:
    """Refuse to take `kept` for a recording of another source or by another recipe.

    Args:
        name: the file of `kept`.
        kept: what is there.
        wanted: what was asked for: origin, recipe, and fingerprint of repeated detections.

    Raises:
        UsageError: names the file and what is different.
    """
    if isinstance(wanted, Cache):
        wanted = wanted.origin, wanted.recipe, wanted.repeated
    origin, recipe, repeated = wanted
    apart = differences(kept.recipe, recipe)
    if kept.origin.content != origin.content:
        apart.insert(0, _other_source(kept.origin, origin))
    if kept.repeated != repeated:
        apart.append("other detections in the file of --det mot:FILE")
    if apart:
        raise UsageError(
            f"'{name}' holds something else: {'; '.join(apart)}.",
            fix="Give another --out, or --replace to record it again.",
        )


def _other_source(a: Origin, b: Origin) -> str:
    return f"{_described(a)} instead of {_described(b)}"


def _described(origin: Origin) -> str:
    size = f"{origin.width}x{origin.height}"
    return f"'{origin.name}' ({counted(origin.frames, 'frame')} of {size}, {origin.content[:8]})"


def header(cache: Cache) -> dict[str, Any]:
    """What stands in words in a cache, for its file and for reports."""
    return {
        "format": FORMAT,
        "version": cache.version,
        "origin": asdict(cache.origin),
        "recipe": {**asdict(cache.recipe), "settings": dict(cache.recipe.settings)},
        "names": {str(key): name for key, name in cache.tape.names.items()},
        "costs": {
            "embed_ms": {str(n): ms for n, ms in cache.costs.embed_ms.items()},
            "stages_ms": dict(cache.costs.stages_ms),
        },
        "repeated": cache.repeated,
        "dim": cache.dim,
        "cheap_dim": cache.tape.cheap_dim,
        "whole_frame": cache.tape.whole_frame,
    }
