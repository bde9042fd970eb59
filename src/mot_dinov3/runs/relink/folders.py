"""Pictures of identities, a folder each: the folders of one identity become one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mot_dinov3.errors import cannot_write


def merge_folders(directory: Path, new_of: Mapping[int, int], most: int) -> None:
    """Move `directory/OLD/*` to `directory/NEW` and keep `most` pictures of each, evenly spread.

    Names tell frames, and nobody is in a frame twice, so no two are the same.

    Args:
        directory: what `--save-crops` made.
        new_of: identity that is given up -> the one that takes its place.
        most: pictures of an identity, 0 for no limit.

    Raises:
        OutputError: the system refused.
    """
    try:
        for old, new in new_of.items():
            source, target = directory / str(old), directory / str(new)
            if source.is_dir():
                target.mkdir(exist_ok=True)
                for picture in sorted(source.iterdir()):
                    picture.replace(target / picture.name)
                source.rmdir()
        for new in set(new_of.values()):
            _thin(directory / str(new), most)
    except OSError as error:
        raise cannot_write(directory, error) from error


def _thin(folder: Path, most: int) -> None:
    pictures = sorted(folder.iterdir(), key=_by_frame) if folder.is_dir() else []
    if most and len(pictures) > most:
        kept = set(np.linspace(0, len(pictures) - 1, most).round().astype(int).tolist())
        for place, picture in enumerate(pictures):
            if place not in kept:
                picture.unlink()


def _by_frame(picture: Path) -> tuple[int, str]:
    """Names are filled up with zeros; a longer one has a higher number."""
    return len(picture.name), picture.name
