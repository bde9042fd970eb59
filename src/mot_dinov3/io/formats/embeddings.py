"""The npz of `--save-embeddings`: reads its rows in blocks, and copies it under other ids.

No code in a file is executed, and only a block of its rows is in memory at a time.
"""

from __future__ import annotations

import shutil
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from mot_dinov3.errors import InputError, cannot_read
from mot_dinov3.runtime.git_lfs import refuse_pointer
from mot_dinov3.runtime.opening import open_regular
from mot_dinov3.values import BoolArray, EmbedderMark, FloatArray, IntArray

ROWS_AT_ONCE = 1024
MOST_WIDTH = 1 << 16
"""A vector with more numbers is damage."""
MOST_TITLE = 200
ID_COLUMN = "id.npy"
COLUMNS: Mapping[str, tuple[str, int]] = {
    "id": ("<i8", 1),
    "memorable": ("|b1", 1),
    "vectors": ("<f4", 2),
}
"""Column -> its numpy type and number of axes."""


class _DamagedError(Exception):
    """Why a file is not one of `--save-embeddings`, in a few words."""


DAMAGE = (
    *(_DamagedError, zipfile.BadZipFile, struct.error, zlib.error),
    *(ValueError, KeyError, EOFError, NotImplementedError, RuntimeError),
)
"""What reading a damaged file may raise."""


def read_embeddings(path: Path) -> Iterator[tuple[IntArray, BoolArray, FloatArray]]:
    """Blocks of rows in the order of the run.

    Yields:
        (N,) int64 track id, (N,) bool whether a gallery may keep the vector, (N, D) float32
        vector.

    Raises:
        InputError: the file cannot be read, or `--save-embeddings` did not write it.
    """
    refuse_pointer(path, InputError)
    try:
        with open_regular(path) as file, zipfile.ZipFile(file) as archive:
            yield from _read_blocks(archive)
    except OSError as error:
        raise cannot_read(path, error) from error
    except DAMAGE as error:
        raise InputError(
            f"'{path}' is not a file of embeddings: {str(error)[:80] or 'it is damaged'}.",
            fix="Give a file that --save-embeddings wrote, unchanged.",
        ) from error


def describe_mark(mark: EmbedderMark | None) -> dict[str, NDArray[Any]]:
    """The small arrays of a file that say which embedder made its vectors; none for None."""
    if mark is None:
        return {}
    return {
        "embedder": np.array(mark.title),
        "fingerprint": np.array(mark.fingerprint),
        "gate": np.array(mark.gate, np.float64),
    }


def read_mark(path: Path) -> EmbedderMark:
    """The embedder that made the vectors of a file.

    Raises:
        InputError: the file cannot be read, or does not say it.
    """
    refuse_pointer(path, InputError)
    try:
        with open_regular(path) as file, np.load(file, allow_pickle=False) as found:
            title, digest = (str(found[name])[:MOST_TITLE] for name in ("embedder", "fingerprint"))
            return EmbedderMark(title, digest, float(found["gate"]))
    except OSError as error:
        raise cannot_read(path, error) from error
    except (*DAMAGE, TypeError, AttributeError) as error:
        raise InputError(
            f"'{path}' does not say which embedder made its vectors.",
            fix="Track once more with --save-embeddings: earlier versions did not note it.",
        ) from error


def _read_blocks(archive: zipfile.ZipFile) -> Iterator[tuple[IntArray, BoolArray, FloatArray]]:
    with (
        archive.open(ID_COLUMN) as ids,
        archive.open("memorable.npy") as memorable,
        archive.open("vectors.npy") as vectors,
    ):
        files = zip(COLUMNS, (ids, memorable, vectors), strict=True)
        heads = {name: _read_shape(file, name) for name, file in files}
        rows = heads["id"][0]
        if any(shape[0] != rows for shape in heads.values()):
            raise _DamagedError("its columns are not of one length")
        width = heads["vectors"][1]
        for start in range(0, rows, ROWS_AT_ONCE):
            n = min(ROWS_AT_ONCE, rows - start)
            yield (
                _read_numbers(ids, n, "<i8"),
                _read_numbers(memorable, n, "|b1"),
                _read_numbers(vectors, n * width, "<f4").reshape(n, width),
            )


def _read_shape(file: IO[bytes], name: str) -> tuple[int, ...]:
    """The shape of a column, checked.

    Raises:
        _DamagedError: the column is not written as `--save-embeddings` does it.
    """
    if npy.read_magic(file) != (1, 0):
        raise _DamagedError(f"'{name}' is written in an unknown way")
    shape, by_column, kind = npy.read_array_header_1_0(file)
    wanted, axes = COLUMNS[name]
    if kind.str != wanted or len(shape) != axes or (by_column and axes > 1):
        raise _DamagedError(f"'{name}' holds another kind of numbers")
    if axes > 1 and not 0 <= shape[1] <= MOST_WIDTH:
        raise _DamagedError(f"'{name}' has an impossible shape")
    return tuple(shape)


def _read_numbers(file: IO[bytes], count: int, kind: str) -> NDArray[Any]:
    size = count * np.dtype(kind).itemsize
    data = file.read(size)
    if len(data) != size:
        raise _DamagedError("it is cut short")
    return np.frombuffer(data, kind)


def rename_embeddings(source: Path, target: Path, new_of: Mapping[int, int]) -> None:
    """Copy an npz, with new ids in its column of ids and all other columns unchanged.

    Args:
        source: what `--save-embeddings` wrote.
        target: the copy.
        new_of: id that is given up -> the one that takes its place.

    Raises:
        InputError: it cannot be read, or `--save-embeddings` did not write it.
        OSError: the target cannot be written.
    """
    found = [block[0] for block in read_embeddings(source)]
    known = np.concatenate([np.empty(0, np.int64), *found])
    renamed = np.array([new_of.get(number, number) for number in known.tolist()], np.int64)
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as new:
        for item in old.infolist():
            with new.open(item.filename, "w", force_zip64=True) as out:
                if item.filename == ID_COLUMN:
                    npy.write_array(out, renamed, allow_pickle=False)
                else:
                    with old.open(item) as member:
                        shutil.copyfileobj(member, out)
