"""Files with the names of pictures, for what reads names alone."""

from __future__ import annotations


def make_files(folder, *names):
    """Write files of one byte into a folder; returns it."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return folder
