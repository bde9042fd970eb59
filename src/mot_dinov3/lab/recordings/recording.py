"""A recording: detections and embeddings of a source, what they cost, and the ground truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from mot_dinov3 import __version__
from mot_dinov3.config import TrackConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.io.formats.mot import MotTable
from mot_dinov3.lab.recordings.clip import RecordedClip
from mot_dinov3.lab.recordings.clock import CostTable
from mot_dinov3.perception.detectors.base import Detector
from mot_dinov3.perception.features.base import Embedder
from mot_dinov3.perception.features.prior import find_prior
from mot_dinov3.values import FloatArray, SimilarityPrior
from mot_dinov3.wording import counted

FORMAT = 2
"""The layout of the file. Format 1 had no cheap evidence and no passes over whole pictures."""

READABLE = (1, FORMAT)

SETTINGS = {
    "source": ("start_frame", "end_frame", "max_frames", "vid_stride"),
    "detector": ("conf", "low_conf", "imgsz", "classes"),
    "device": ("half",),
    "embedder": ("embed_amp", "crop_pad", "crop_square"),
}
"""Stage -> fields that decide what is recorded."""

TRUSTED, GATE = "trusted", "gate"
"""Fields of `SimilarityPrior`: what a run knows of the embedder's cosines before it has pairs, and
a replay, too; not in older files, and nothing of what is recorded depends on them."""


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
class RecordingSetup:
    """Models and settings of a recording; recordings are comparable when they are the same.

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
class Recording:
    """Everything that a replay needs of one source.

    Attributes:
        origin: which pictures.
        setup: which models and settings.
        clip: detections and embeddings, aligned, of all frames.
        costs: what the work cost.
        truth: the known identities, or None.
        warps: (F, 2, 3) camera motion into each frame from the one before, or None.
        repeated: fingerprint of the file of detections that was repeated, "" if none.
        version: of the package that recorded it.
    """

    origin: Origin
    setup: RecordingSetup
    clip: RecordedClip
    costs: CostTable
    truth: MotTable | None = None
    warps: FloatArray | None = None
    repeated: str = ""
    version: str = field(default=__version__)

    @property
    def dim(self) -> int:
        """Length of a vector, 0 where nothing was embedded."""
        return self.clip.dim

    @property
    def conf(self) -> float:
        """Confidence from which a detection was strong."""
        return float(self.setup.settings.get("conf", 0.3))

    @property
    def prior(self) -> SimilarityPrior:
        """What a run with this embedder knows of its cosines before."""
        usual, known = SimilarityPrior(), self.setup.settings
        return SimilarityPrior(
            float(known.get(GATE, usual.gate)), bool(known.get(TRUSTED, usual.trusted))
        )


def describe_setup(
    config: TrackConfig, detector: Detector, embedder: Embedder | None
) -> RecordingSetup:
    """Collect titles and fingerprints of what was loaded, and the settings that decide numbers.

    Raises:
        MotError: a file of weights cannot be read any more.
    """
    return RecordingSetup(
        detector="stored detections" if detector.repeated else detector.title,
        detector_weights=detector.fingerprint,
        embedder=embedder.title if embedder else "none",
        embedder_weights=embedder.fingerprint if embedder else "",
        settings=select_settings(config),
    )


def select_settings(config: TrackConfig) -> dict[str, Any]:
    """Select the settings that decide what a recording holds, by key."""
    out = {
        name: getattr(getattr(config, stage), name)
        for stage, names in SETTINGS.items()
        for name in names
    }
    prior, usual = find_prior(config.embedder), SimilarityPrior()
    for name in (TRUSTED, GATE):
        if getattr(prior, name) != getattr(usual, name):
            out[name] = getattr(prior, name)
    if config.cheap.wanted:
        out["cheap_evidence"] = config.cheap.cheap_evidence
    return out


def find_differences(a: RecordingSetup, b: RecordingSetup) -> list[str]:
    """Name what sets two setups apart, in words; empty when results can be compared."""
    out = []
    for kind in ("detector", "embedder"):
        if getattr(a, f"{kind}_weights") != getattr(b, f"{kind}_weights"):
            titles = getattr(a, kind), getattr(b, kind)
            same_title = " with other weights" if titles[0] == titles[1] else ""
            out.append(f"{kind} {titles[0]} and {titles[1]}{same_title}")
    for key in sorted({*a.settings, *b.settings} - {TRUSTED, GATE}):
        first, second = a.settings.get(key), b.settings.get(key)
        if first != second:
            out.append(f"{key} {first} and {second}")
    return out


def require_comparable(recordings: Mapping[str, Recording]) -> None:
    """Refuse to put recordings into one table that other models or settings made.

    Args:
        recordings: by the name of their file.

    Raises:
        UsageError: names two files and what sets them apart.
    """
    (first_name, first), *others = recordings.items()
    for name, recording in others:
        if apart := find_differences(first.setup, recording.setup):
            raise UsageError(
                f"'{first_name}' and '{name}' cannot be compared: {'; '.join(apart)}.",
                fix="Replay them apart, or cache all sources with the same flags.",
            )


def require_same(
    name: str, kept: Recording, wanted: Recording | tuple[Origin, RecordingSetup, str]
) -> None:
    """Refuse to take `kept` for a recording of another source or with another setup.

    Args:
        name: the file of `kept`.
        kept: what is there.
        wanted: what was asked for: origin, setup, and fingerprint of repeated detections.

    Raises:
        UsageError: names the file and what is different.
    """
    if isinstance(wanted, Recording):
        wanted = wanted.origin, wanted.setup, wanted.repeated
    origin, setup, repeated = wanted
    apart = find_differences(kept.setup, setup)
    if kept.origin.content != origin.content:
        apart.insert(0, _compare_origins(kept.origin, origin))
    if kept.repeated != repeated:
        apart.append("other detections in the file of --det mot:FILE")
    if apart:
        raise UsageError(
            f"'{name}' holds something else: {'; '.join(apart)}.",
            fix="Give another --out, or --replace to record it again.",
        )


def _compare_origins(a: Origin, b: Origin) -> str:
    return f"{_describe(a)} instead of {_describe(b)}"


def _describe(origin: Origin) -> str:
    size = f"{origin.width}x{origin.height}"
    return f"'{origin.name}' ({counted(origin.frames, 'frame')} of {size}, {origin.content[:8]})"


def describe_recording(recording: Recording) -> dict[str, Any]:
    """Build what a recording says about itself in JSON, for its file and for reports."""
    return {
        "format": FORMAT,
        "version": recording.version,
        "origin": asdict(recording.origin),
        "recipe": {**asdict(recording.setup), "settings": dict(recording.setup.settings)},
        "names": {str(key): name for key, name in recording.clip.names.items()},
        "costs": {
            "embed_ms": {str(n): ms for n, ms in recording.costs.embed_ms.items()},
            "stages_ms": dict(recording.costs.stages_ms),
        },
        "repeated": recording.repeated,
        "dim": recording.dim,
        "cheap_dim": recording.clip.cheap_dim,
        "whole_frame": recording.clip.whole_frame,
    }
