"""Fingerprints of weights, which tell models apart whatever their files are called."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from mot_dinov3.errors import cannot_read
from mot_dinov3.runtime.opening import open_regular

WEIGHTS = "*.safetensors"
MODEL_FILES = (WEIGHTS, "config.json", "preprocessor_config.json")
"""What is read of a directory of such weights; a model card beside them changes nothing."""


def file_digest(path: Path) -> str:
    """sha256 of a file.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with open_regular(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise cannot_read(path, error) from error


def weights_digest(path: Path) -> str:
    """The fingerprint of a model: sha256 of its file, or of its files with their names.

    Files that did not change are read only once in a process: one start asks for the weights of a
    model several times, and a batch does for every video.

    Args:
        path: a file of weights, the .xml file of an OpenVINO export, or a model's directory.

    Raises:
        InputError: it cannot be read.
    """
    return _digest_of(path, _stamp(path))


def list_model_files(path: Path) -> list[Path]:
    """The files that decide what a model computes, in order.

    Without safetensors a directory is an export of some format, and all of it counts.
    """
    if not path.is_dir():
        weights = path.with_suffix(".bin")
        return [path, weights] if path.suffix == ".xml" and weights.is_file() else [path]
    patterns = MODEL_FILES if any(path.rglob(WEIGHTS)) else ("*",)
    found = {file for pattern in patterns for file in path.rglob(pattern)}
    return sorted(file for file in found if file.is_file())


def _stamp(path: Path) -> tuple[tuple[str | int, ...], ...]:
    """Sizes and times that change when one of the model's files is written."""
    try:
        stats = [(str(file), file.stat()) for file in list_model_files(path)]
    except OSError:
        return ()
    return tuple((n, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns) for n, s in stats)


@lru_cache(maxsize=64)
def _digest_of(path: Path, stamp: tuple[tuple[str | int, ...], ...]) -> str:
    files = list_model_files(path)
    if files == [path]:
        return file_digest(path)
    directory = path if path.is_dir() else path.parent
    named = [f"{file.relative_to(directory)} {file_digest(file)}\n" for file in files]
    return hashlib.sha256("".join(named).encode()).hexdigest()
