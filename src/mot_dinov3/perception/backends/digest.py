"""Fingerprints of weights, which tell models apart whatever their files are called."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from mot_dinov3.errors import InputError

MODEL_FILES = ("*.safetensors", "config.json", "preprocessor_config.json")


def file_digest(path: Path) -> str:
    """sha256 of a file, or of a directory's model files with their names.

    Raises:
        InputError: it cannot be read.
    """
    try:
        if path.is_dir():
            files = sorted({file for pattern in MODEL_FILES for file in path.rglob(pattern)})
            named = [f"{file.relative_to(path)} {file_digest(file)}\n" for file in files]
            return hashlib.sha256("".join(named).encode()).hexdigest()
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"Cannot read '{path}': {error.strerror}.", fix="Check it.") from error


def weights_digest(path: Path) -> str:
    """Compute `file_digest`, but read a file that did not change only once in a process.

    One start asks for the weights of a model several times, and a batch does for every video.

    Raises:
        InputError: it cannot be read.
    """
    return _digest_of(path, _stamp(path))


def _stamp(path: Path) -> tuple[tuple[str | int, ...], ...]:
    """Sizes and times that change when a file, or one of a directory's model files, is written."""
    try:
        inside = path.is_dir()
        files = [f for pattern in MODEL_FILES for f in path.rglob(pattern)] if inside else [path]
        stats = [(str(file), file.stat()) for file in sorted(files)]
    except OSError:
        return ()
    return tuple((n, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns) for n, s in stats)


@lru_cache(maxsize=64)
def _digest_of(path: Path, stamp: tuple[tuple[str | int, ...], ...]) -> str:
    return file_digest(path)
