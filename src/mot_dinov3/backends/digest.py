"""Fingerprints of weights: what tells one model from another, whatever its file is called."""

from __future__ import annotations

import hashlib
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
