"""The npz of `--gallery`: identities with their embeddings. No code in a file is executed."""

from __future__ import annotations

import sys
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mot_dinov3.errors import InputError, OutputError, cannot_read, cannot_write
from mot_dinov3.io.write.paths import publish, reserve_partial
from mot_dinov3.runtime.git_lfs import refuse_pointer
from mot_dinov3.runtime.opening import open_regular
from mot_dinov3.values import FloatArray

if sys.platform != "win32":
    import fcntl

FORMAT = "identities 1"
MOST_VECTORS = 16
"""Embeddings kept of an identity."""
MOST_NAME = 200
PATIENCE_S = 30.0
"""How long another run may take to write the gallery."""
DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, ValueError, KeyError, EOFError),
    *(NotImplementedError, RuntimeError, MemoryError),
)
"""What reading a damaged file may raise."""


@dataclass(frozen=True, slots=True)
class KnownIdentity:
    """An object that a run knew, or that was enrolled.

    Attributes:
        id: from 1, never given twice in a gallery.
        name: that a user gave it, "" for none.
        class_name: what it is.
        source: where it was seen last.
        time_s: when that was written, in seconds since 1970.
        vectors: (M, D) float32 unit rows, `MOST_VECTORS` at most.
    """

    id: int
    name: str
    class_name: str
    source: str
    time_s: float
    vectors: FloatArray

    @property
    def label(self) -> str:
        """What pictures and tables call it."""
        return self.name or f"ID {self.id}"

    def learn(self, vectors: FloatArray, source: str = "") -> KnownIdentity:
        """The same identity with more embeddings, spread evenly over the old and the new ones."""
        both = np.concatenate((self.vectors, vectors))
        if len(both) > MOST_VECTORS:
            both = both[np.linspace(0, len(both) - 1, MOST_VECTORS).round().astype(np.int64)]
        return replace(self, vectors=both, source=source or self.source, time_s=time.time())


@dataclass(slots=True)
class IdentityGallery:
    """A gallery in memory.

    Attributes:
        embedder: title of what made the vectors, "" for an empty gallery.
        fingerprint: of its weights.
        next_id: the id of the next new identity.
        identities: id -> identity, in order of the ids.
    """

    embedder: str = ""
    fingerprint: str = ""
    next_id: int = 1
    identities: dict[int, KnownIdentity] = field(default_factory=dict)

    def add(self, identity: KnownIdentity) -> KnownIdentity:
        """Take in a new identity under the next id, and return it as it is known now."""
        identity = replace(identity, id=self.next_id)
        self.identities[identity.id] = identity
        self.next_id += 1
        return identity

    def require_embedder(self, title: str, fingerprint: str, path: Path) -> None:
        """Refuse vectors of another embedder, which cannot be compared; an empty one takes any.

        Raises:
            InputError: the gallery was made with another one.
        """
        if self.identities and self.fingerprint != fingerprint:
            raise InputError(
                f"'{path}' was made with the embedder {self.embedder}, not with {title}: "
                "their vectors cannot be compared.",
                fix="Give the same --embedder and --embed-model, or another --gallery.",
            )
        self.embedder, self.fingerprint = title, fingerprint


def read_gallery(path: Path) -> IdentityGallery:
    """Read a gallery; one that does not exist is empty.

    Raises:
        InputError: it cannot be read, is damaged, or is another kind of file.
    """
    if not path.exists() and not path.is_symlink():
        return IdentityGallery()
    refuse_pointer(path, InputError)
    try:
        with open_regular(path) as file, np.load(file, allow_pickle=False) as found:
            return _build(found)
    except OSError as error:
        raise cannot_read(path, error) from error
    except DAMAGE as error:
        raise InputError(
            f"'{path}' is not a gallery of identities: {str(error)[:80] or 'it is damaged'}.",
            fix="Give a file that --gallery wrote, unchanged, or a name that is free.",
        ) from error


def _build(found: Any) -> IdentityGallery:  # noqa: ANN401 - numpy's NpzFile, or a bare array
    if not isinstance(found, np.lib.npyio.NpzFile) or "format" not in found:
        raise ValueError("it holds other arrays")
    if str(found["format"]) != FORMAT:
        raise ValueError(f"its format is '{str(found['format'])[:40]}', not '{FORMAT}'")
    ids, rows = found["id"].astype(np.int64), found["rows"].astype(np.int64)
    texts = [found[name].astype(np.str_) for name in ("name", "class_name", "source")]
    times, vectors = found["time_s"].astype(np.float64), found["vectors"].astype(np.float32)
    lengths = {column.shape for column in (ids, rows, times, *texts)}
    if lengths != {(len(ids),)} or vectors.ndim != 2 or (rows < 1).any():
        raise ValueError("its columns do not fit together")
    if rows.sum() != len(vectors) or not np.isfinite(vectors).all():
        raise ValueError("its embeddings are not whole")
    next_id = int(found["next_id"])
    if len(np.unique(ids)) < len(ids) or (len(ids) and not 0 < ids.min() <= ids.max() < next_id):
        raise ValueError("its ids are not in order")
    parts = np.split(vectors, np.cumsum(rows)[:-1]) if len(rows) else []
    columns = zip(
        ids.tolist(), *(text.tolist() for text in texts), times.tolist(), parts, strict=True
    )
    known = {row[0]: KnownIdentity(*row) for row in columns}
    return IdentityGallery(str(found["embedder"]), str(found["fingerprint"]), next_id, known)


def write_gallery(path: Path, gallery: IdentityGallery) -> None:
    """Write a gallery, which appears under its name only when it is whole.

    Raises:
        OutputError: it cannot be written.
    """
    known = sorted(gallery.identities.values(), key=lambda one: one.id)
    columns: dict[str, NDArray[Any]] = {
        name: np.array([getattr(one, name) for one in known], kind)
        for name, kind in (("id", np.int64), ("name", np.str_), ("class_name", np.str_),
                           ("source", np.str_), ("time_s", np.float64))
    }  # fmt: skip
    columns["rows"] = np.array([len(one.vectors) for one in known], np.int64)
    vectors = [one.vectors for one in known] or [np.zeros((0, 0), np.float32)]
    partial = reserve_partial(path)
    try:
        with partial.open("wb") as file:
            np.savez(
                file,
                format=np.array(FORMAT),
                embedder=np.array(gallery.embedder),
                fingerprint=np.array(gallery.fingerprint),
                next_id=np.array(gallery.next_id),
                vectors=np.concatenate(vectors),
                **columns,  # type: ignore[arg-type] # numpy's stub: no name is "allow_pickle"
            )
        publish(partial, path, replace=True)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def edit_gallery(path: Path) -> Iterator[IdentityGallery]:
    """The gallery as it is now, to be changed and written while no other run can do the same.

    A file `.NAME.lock` beside it is locked meanwhile, so that what two runs add at once is all
    kept. After an exception nothing is written.

    Raises:
        MotError: it cannot be read or written, or another run holds it for too long.
    """
    lock = path.with_name(f".{path.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = lock.open("ab")
    except OSError as error:
        raise cannot_write(path, error) from error
    with file:
        _wait_for(file, path)
        gallery = read_gallery(path)
        yield gallery
        write_gallery(path, gallery)


def _wait_for(file: Any, path: Path) -> None:  # noqa: ANN401 - an open file
    """Lock a file; the lock ends when it is closed."""
    end_s = time.monotonic() + PATIENCE_S
    while sys.platform != "win32":
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end_s:
                raise OutputError(
                    f"Another run writes '{path}' all the time.", fix="Wait until it ends."
                ) from None
            time.sleep(0.05)
        else:
            return
