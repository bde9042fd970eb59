"""What must be the same for a journal to be of use: the source, the flags that decide, the models.

What is drawn and what is written may differ: all outputs are made anew from the journal.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from mot_dinov3 import __version__
from mot_dinov3.config import SourceConfig, TrackConfig, flag_fields
from mot_dinov3.config.flat import key_of
from mot_dinov3.io.read.images import IMAGE_SUFFIXES
from mot_dinov3.io.read.sources import SourceInfo

STAGES = ("source", "detector", "embedder", "cheap", "scheduler", "tracker", "association",
          "motion")  # fmt: skip
"""Stages that decide what is tracked; device and precision stand in the titles of the models."""

NOT_DECIDING = ("source", "fps")
"""Keys among them that do not: where the source lies, and how fast it is shown."""

SAMPLES, SAMPLE_BYTES = 16, 2**16
"""A file is known by its size and so many pieces of it, whatever its length."""


@dataclass(frozen=True, slots=True)
class Identity:
    """One command, as far as it decides what is tracked.

    Attributes:
        source: size of the pictures, how many, and a fingerprint of the file or of the
            list of images.
        flags: configuration key -> value.
        models: titles and fingerprints of weights, by kind; empty while they are not loaded.
        version: of this package.
    """

    source: Mapping[str, Any]
    flags: Mapping[str, Any]
    models: Mapping[str, Any]
    version: str = __version__

    @classmethod
    def of(cls, config: TrackConfig, info: SourceInfo) -> Self:
        """The command of a configuration on an open source, before its models are loaded."""
        return cls(source_identity(config.source, info), deciding_flags(config), {})

    def by(self, models: Mapping[str, str]) -> Self:
        """The same by loaded models."""
        titled = {kind: without_size(title) for kind, title in models.items()}
        return replace(self, models=titled)

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def differences(kept: Mapping[str, Any], wanted: Identity) -> list[str]:
    """What sets a kept identity (plain values) apart from the wanted one, in words.

    Models are compared only once the wanted ones are known.
    """
    now = wanted.as_dict()
    out = ["another source"] if kept.get("source") != now["source"] else []
    for key in _unequal(kept.get("flags"), now["flags"]):
        out.append(f"--{key.replace('_', '-')} was {_said(_of(kept.get('flags'), key))}")
    for key in _unequal(kept.get("models"), now["models"]) if now["models"] else []:
        before = str(_of(kept.get("models"), key))
        out.append(f"other {key}" + (f" ({before})" if " " in before else ""))
    if kept.get("version") != now["version"]:
        out.append(f"version {kept.get('version')} of this program")
    return out


def _said(value: object) -> object:
    if isinstance(value, bool) or value is None:
        return "on" if value else "off"
    return value if value != "" else "not given"


def _unequal(kept: object, now: Mapping[str, Any]) -> list[str]:
    keys = [*now, *(key for key in kept if key not in now)] if isinstance(kept, dict) else [*now]
    return [key for key in keys if _of(kept, key) != now.get(key)]


def _of(kept: object, key: str) -> object:
    return kept.get(key) if isinstance(kept, dict) else None


def deciding_flags(config: TrackConfig) -> dict[str, Any]:
    """Configuration key -> value of every flag that decides what is tracked."""
    return {
        key_of(item): getattr(stage, item.name)
        for stage in (getattr(config, name) for name in STAGES)
        for item in flag_fields(type(stage))
        if key_of(item) not in NOT_DECIDING
    }


def without_size(title: str) -> str:
    """A model's title without its input size, which is only known once it has seen a picture."""
    return re.sub(r"\b\d+(x\d+)? px\b", "px", title)


def source_identity(config: SourceConfig, info: SourceInfo) -> dict[str, Any]:
    """What tells a source from others before it is read; its pictures are compared on the way."""
    path = info.path or Path(config.source.removeprefix("mot:")).expanduser()
    content = ""
    try:
        if path.is_file():
            content = sampled(path)
        elif path.is_dir():
            content = listed(path)
    except (OSError, ValueError):
        content = ""
    named = "" if content else config.source
    size = [info.width, info.height, info.frame_count]
    return {"name": named, "size": size, "content": content}


def sampled(path: Path) -> str:
    """sha256 of a file's size and of pieces of it, from its beginning to its end."""
    out = hashlib.sha256()
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        out.update(str(size).encode())
        for number in range(SAMPLES):
            file.seek(max(0, size - SAMPLE_BYTES) * number // (SAMPLES - 1))
            out.update(file.read(SAMPLE_BYTES))
    return out.hexdigest()


def listed(directory: Path) -> str:
    """sha256 of the names and sizes of a directory's images."""
    with os.scandir(directory) as entries:
        images = [entry for entry in entries if Path(entry).suffix.lower() in IMAGE_SUFFIXES]
        lines = sorted(f"{entry.stat().st_size} {entry.name}" for entry in images)
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()
