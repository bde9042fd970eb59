"""What must be equal for a run to be resumed: the source, the deciding flags and the models.

What is drawn and what is written may differ, as a resumed run writes all outputs anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from mot_dinov3 import __version__
from mot_dinov3.config import SourceConfig, TrackConfig, flag_fields
from mot_dinov3.config.flat import key_of
from mot_dinov3.io.read.images import IMAGE_SUFFIXES
from mot_dinov3.io.read.sources import SourceInfo
from mot_dinov3.runtime.opening import open_regular
from mot_dinov3.systems.base import UNKNOWN

STAGES = (
    "source",
    "detector",
    "embedder",
    "cheap",
    "scheduler",
    "tracker",
    "association",
    "motion",
    "identities",
    "search",
    "follow",
)
"""Stages that decide what is tracked; device and precision are in the titles of the models."""

NOT_DECIDING = ("source", "fps")
"""Keys among them that do not decide: the path of the source, and how fast it is shown."""

SAMPLES, SAMPLE_BYTES = 16, 2**16
"""A file is told from others by its size and this many pieces of so many bytes."""


@dataclass(frozen=True, slots=True)
class RunIdentity:
    """What decides the tracks of one command.

    Attributes:
        source: size of the pictures, how many, and a fingerprint of the file or of the
            list of images.
        flags: configuration key -> value.
        models: role -> fingerprint, see `LoadedSystem`; empty while no model is loaded.
        version: version of this package.
    """

    source: Mapping[str, Any]
    flags: Mapping[str, Any]
    models: Mapping[str, Any]
    version: str = __version__

    @classmethod
    def of(cls, config: TrackConfig, info: SourceInfo) -> Self:
        """The identity of a run on an open source, before its models are loaded."""
        return cls(identify_source(config.source, info), collect_deciding_flags(config), {})

    def with_models(self, fingerprint: Mapping[str, str]) -> Self:
        """The same run with the fingerprint of its loaded models."""
        return replace(self, models=dict(fingerprint))

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def find_differences(kept: Mapping[str, Any], wanted: RunIdentity) -> list[str]:
    """What is different between the identity of a journal and that of this run, in words.

    Args:
        kept: identity in the journal, as plain values of which any may be missing or wrong.
        wanted: identity of this run; its models are compared only if they are loaded.
    """
    now = wanted.as_dict()
    out = ["another source"] if kept.get("source") != now["source"] else []
    flags = _add_newer_flags(kept.get("flags"))
    for key in _find_unequal(flags, now["flags"]):
        out.append(f"--{key.replace('_', '-')} was {_format_value(_get(flags, key))}")
    if now["models"]:
        out += _compare_models(kept.get("models"), now["models"])
    if kept.get("version") != now["version"]:
        out.append(f"version {kept.get('version')} of this program")
    return out


def _add_newer_flags(kept: object) -> object:
    """The flags of a journal, and the default of every flag that is newer than the journal."""
    return collect_deciding_flags(TrackConfig()) | kept if isinstance(kept, dict) else kept


def _compare_models(kept: object, now: Mapping[str, Any]) -> list[str]:
    """The models that are different, and those that may be, as a fingerprint is unknown."""
    out = []
    for role in dict.fromkeys([*now, *_find_unequal(kept, now)]):
        before, after = str(_get(kept, role)), now.get(role)
        if UNKNOWN in (before, after):
            out.append(f"the {role} could not be read and may be others")
        elif before != after:
            # A title has several words and tells what the model was; a digest tells nothing.
            out.append(f"other {role}" + (f" ({before})" if " " in before else ""))
    return out


def _format_value(value: object) -> object:
    if isinstance(value, bool) or value is None:
        return "on" if value else "off"
    return value if value != "" else "not given"


def _find_unequal(kept: object, now: Mapping[str, Any]) -> list[str]:
    keys = [*now, *(key for key in kept if key not in now)] if isinstance(kept, dict) else [*now]
    return [key for key in keys if _get(kept, key) != now.get(key)]


def _get(kept: object, key: str) -> object:
    """A value of an identity out of a journal, which may hold anything."""
    return kept.get(key) if isinstance(kept, dict) else None


def collect_deciding_flags(config: TrackConfig) -> dict[str, Any]:
    """Configuration key -> value of every flag that decides what is tracked."""
    return {
        key_of(item): getattr(stage, item.name)
        for stage in (getattr(config, name) for name in STAGES)
        for item in flag_fields(type(stage))
        if key_of(item) not in NOT_DECIDING
    }


def identify_source(config: SourceConfig, info: SourceInfo) -> dict[str, Any]:
    """What tells a source from others before it is read; its pictures are compared later."""
    path = info.path or Path(config.source.removeprefix("mot:")).expanduser()
    content = ""
    with contextlib.suppress(OSError, ValueError):
        if path.is_file():
            content = hash_samples(path)
        elif path.is_dir():
            content = hash_listing(path)
    # What can be read may have moved; what cannot, such as a camera, is known by its name.
    name = "" if content else config.source
    size = [info.width, info.height, info.frame_count]
    return {"name": name, "size": size, "content": content}


def hash_samples(path: Path) -> str:
    """sha256 of a file's size and of pieces of it, from its beginning to its end."""
    out = hashlib.sha256()
    with open_regular(path) as file:
        size = file.seek(0, os.SEEK_END)
        out.update(str(size).encode())
        for number in range(SAMPLES):
            file.seek(max(0, size - SAMPLE_BYTES) * number // (SAMPLES - 1))
            out.update(file.read(SAMPLE_BYTES))
    return out.hexdigest()


def hash_listing(directory: Path) -> str:
    """sha256 of the names and sizes of a directory's images."""
    with os.scandir(directory) as entries:
        images = [entry for entry in entries if Path(entry).suffix.lower() in IMAGE_SUFFIXES]
        lines = sorted(f"{entry.stat().st_size} {entry.name}" for entry in images)
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()
