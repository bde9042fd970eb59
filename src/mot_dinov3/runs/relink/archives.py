"""The npz of `--save-embeddings`: its rows one after another, and the same under other identities.

Nothing of a file is run, and nothing but some rows of it is in memory at a time.
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

from mot_dinov3.errors import InputError
from mot_dinov3.values import BoolArray, FloatArray, IntArray

ROWS_AT_ONCE = 1024
MOST_WIDTH = 1 << 16
"""Numbers of a vector; more are damage."""
IDENTITY = "id.npy"
COLUMNS: Mapping[str, tuple[str, int]] = {"id": ("<i8", 1), "memorable": ("|b1", 1),
                                          "vectors": ("<f4", 2)}  # fmt: skip
"""Column -> its numpy type and number of axes."""


class _DamagedError(Exception):
    """Why a file is none of ours, in a few words."""


def read_looks(path: Path) -> Iterator[tuple[IntArray, BoolArray, FloatArray]]:
    """Blocks of rows in the order of the run: identity (N,), worth remembering (N,), vector (N, D).

    Raises:
        InputError: the file cannot be read, or is none that `--save-embeddings` wrote.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            yield from _blocks(archive)
    except OSError as error:
        raise InputError(
            f"Cannot read '{path}': {error.strerror or error}.", fix="Check the path."
        ) from error
    except (_DamagedError, zipfile.BadZipFile, struct.error, ValueError, KeyError, EOFError,
            NotImplementedError, RuntimeError, zlib.error) as error:  # fmt: skip
        raise InputError(
            f"'{path}' is no file of embeddings: {str(error)[:80] or 'it is damaged'}.",
            fix="Give a file that --save-embeddings wrote, unchanged.",
        ) from error


def _blocks(archive: zipfile.ZipFile) -> Iterator[tuple[IntArray, BoolArray, FloatArray]]:
    with (archive.open("id.npy") as who, archive.open("memorable.npy") as worth,
          archive.open("vectors.npy") as looks):  # fmt: skip
        heads = {name: _head(file, name)
                 for name, file in zip(COLUMNS, (who, worth, looks), strict=True)}  # fmt: skip
        rows = heads["id"][0]
        if any(shape[0] != rows for shape in heads.values()):
            raise _DamagedError("its columns are not of one length")
        width = heads["vectors"][1]
        for start in range(0, rows, ROWS_AT_ONCE):
            n = min(ROWS_AT_ONCE, rows - start)
            yield (
                _numbers(who, n, "<i8"),
                _numbers(worth, n, "|b1"),
                _numbers(looks, n * width, "<f4").reshape(n, width),
            )


def _head(file: IO[bytes], name: str) -> tuple[int, ...]:
    """The shape that a member promises, checked."""
    if npy.read_magic(file) != (1, 0):
        raise _DamagedError(f"'{name}' is written in an unknown way")
    shape, by_column, kind = npy.read_array_header_1_0(file)
    wanted, axes = COLUMNS[name]
    if kind.str != wanted or len(shape) != axes or (by_column and axes > 1):
        raise _DamagedError(f"'{name}' holds another kind of numbers")
    if axes > 1 and not 0 <= shape[1] <= MOST_WIDTH:
        raise _DamagedError(f"'{name}' has an impossible shape")
    return tuple(shape)


def _numbers(file: IO[bytes], count: int, kind: str) -> NDArray[Any]:
    size = count * np.dtype(kind).itemsize
    data = file.read(size)
    if len(data) != size:
        raise _DamagedError("it is cut short")
    return np.frombuffer(data, kind)


def rename_embeddings(source: Path, target: Path, new_of: Mapping[int, int]) -> None:
    """Copy an npz, its column of identities renamed and all others as they are.

    Raises:
        InputError: it cannot be read, or is none that `--save-embeddings` wrote.
        OSError: the target cannot be written.
    """
    found = [block[0] for block in read_looks(source)]
    known = np.concatenate([np.empty(0, np.int64), *found])
    renamed = np.array([new_of.get(number, number) for number in known.tolist()], np.int64)
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as new:
        for item in old.infolist():
            with new.open(item.filename, "w", force_zip64=True) as out:
                if item.filename == IDENTITY:
                    npy.write_array(out, renamed, allow_pickle=False)
                else:
                    with old.open(item) as member:
                        shutil.copyfileobj(member, out)
