"""Columns: arrays without pickles, readable at any time, never more promised than there is."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
import zipfile

import numpy as np
import pytest

from helpers.places import SOURCE
from mot_dinov3.errors import OutputError
from mot_dinov3.io.write.columns import ColumnFile

KIND = np.dtype([("id", "<i8"), ("vectors", "<f4", (3,))])


def rows(first, count, kind=KIND):
    out = np.zeros(count, kind)
    out["id"] = np.arange(first, first + count)
    out["vectors"] = np.arange(first, first + count)[:, None] / 7
    return out


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def test_columns_come_back_exactly(tmp_path):
    with ColumnFile(tmp_path / "a.npz", KIND) as file:
        for first in range(0, 10_000, 100):
            file.append(rows(first, 100))
        file.more["names"] = np.array(["person", "人"])
        assert names(tmp_path) == ["a.partial.npz"]
    assert names(tmp_path) == ["a.npz"]
    with np.load(tmp_path / "a.npz", allow_pickle=False) as archive:
        assert archive.files == ["id", "vectors", "names"]
        np.testing.assert_array_equal(archive["id"], np.arange(10_000))
        np.testing.assert_array_equal(archive["vectors"], rows(0, 10_000)["vectors"])
        assert archive["names"].tolist() == ["person", "人"]
        assert archive["vectors"].dtype == np.float32


def test_rows_can_be_read_while_they_grow(tmp_path):
    with ColumnFile(tmp_path / "a.npz", KIND) as file:
        assert len(np.load(file.partial)) == 0
        for count in (1, 12, 123, 1234):
            file.append(rows(file.rows, count))
            seen = np.load(file.partial, allow_pickle=False)
            np.testing.assert_array_equal(seen["id"], np.arange(file.rows))
            np.testing.assert_array_equal(seen["vectors"], rows(0, file.rows)["vectors"])


def test_the_first_rows_say_how_wide_vectors_are(tmp_path):
    wide = np.dtype([("id", "<i8"), ("vectors", "<f4", (768,))])
    with ColumnFile(tmp_path / "a.npz", KIND) as file:
        file.append(rows(0, 5, wide))
        assert np.load(file.partial)["vectors"].shape == (5, 768)
    assert np.load(tmp_path / "a.npz")["vectors"].shape == (5, 768)


def test_a_narrower_kind_than_foreseen_is_read_back(tmp_path):
    wide = np.dtype([("id", "<i8"), *((f"column_{n}", "<f8") for n in range(40))])
    with ColumnFile(tmp_path / "a.npz", wide) as file:
        file.append(rows(3, 5))
        np.testing.assert_array_equal(np.load(file.partial)["id"], range(3, 8))
    np.testing.assert_array_equal(np.load(tmp_path / "a.npz")["id"], range(3, 8))


def test_no_rows_are_columns_too(tmp_path):
    with ColumnFile(tmp_path / "a.npz", KIND):
        pass
    assert np.load(tmp_path / "a.npz")["vectors"].shape == (0, 3)


def test_rows_of_another_kind_are_a_mistake_of_the_caller(tmp_path):
    other = np.dtype([("id", "<i8"), ("vectors", "<f4", (4,))])
    with ColumnFile(tmp_path / "a.npz", KIND) as file:
        file.append(rows(0, 1))
        with pytest.raises(ValueError, match="rows of"):
            file.append(rows(1, 1, other))
    with pytest.raises(ValueError, match="outside"):
        file.append(rows(0, 1))


def test_many_rows_take_no_more_memory(tmp_path):
    wide = np.dtype([("id", "<i8"), ("vectors", "<f4", (2048,))])
    batch = rows(0, 100, wide)
    tracemalloc.start()
    with ColumnFile(tmp_path / "a.npz", wide) as file:
        for _ in range(60):
            file.append(batch)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (tmp_path / "a.npz").stat().st_size > 49e6
    assert peak < 25e6


def test_a_kill_leaves_rows_that_numpy_reads(tmp_path):
    code = (
        "import os, sys; sys.path.insert(0, sys.argv[2])\n"
        "import numpy as np\n"
        "from mot_dinov3.io.write.columns import ColumnFile\n"
        "kind = np.dtype([('id', '<i8'), ('vectors', '<f4', (3,))])\n"
        "file = ColumnFile(sys.argv[1], kind).__enter__()\n"
        "file.append(np.ones(5, kind)); file.append(np.ones(6, kind))\n"
        "os.kill(os.getpid(), 9)\n"
    )
    source = SOURCE
    subprocess.run([sys.executable, "-c", code, tmp_path / "a.npz", source], check=False)
    assert names(tmp_path) == ["a.partial.npz"]
    assert np.load(tmp_path / "a.partial.npz")["id"].tolist() == [1] * 11


def write_then_fail(path):
    with ColumnFile(path, KIND) as file:
        file.append(rows(0, 5))
        raise RuntimeError("elsewhere")


def test_what_was_written_before_an_exception_elsewhere_is_kept(tmp_path):
    with pytest.raises(RuntimeError, match="elsewhere"):
        write_then_fail(tmp_path / "a.npz")
    assert np.load(tmp_path / "a.npz")["id"].tolist() == list(range(5))


class Full:
    """A file whose disk is full from now on."""

    def __init__(self, file):
        self.file = file

    def write(self, data):
        self.file.write(data[:10])
        self.file.flush()
        raise OSError(28, "No space left on device")

    def __getattr__(self, name):
        return getattr(self.file, name)


def write_to_a_full_disk(path):
    with ColumnFile(path, KIND) as file:
        file.append(rows(0, 5))
        file._file = Full(file._file)
        file.append(rows(5, 5))


def test_a_full_disk_leaves_what_was_whole(tmp_path):
    with pytest.raises(OutputError, match="No space") as caught:
        write_to_a_full_disk(tmp_path / "a.npz")
    assert "a.partial.npz" in caught.value.fix
    assert names(tmp_path) == ["a.partial.npz"]
    assert np.load(tmp_path / "a.partial.npz")["id"].tolist() == list(range(5))


def test_a_disk_that_is_full_at_the_end_keeps_the_rows(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "open", full)
    (tmp_path / "a.npz").write_bytes(b"old")
    with pytest.raises(OutputError, match="No space"), ColumnFile(tmp_path / "a.npz", KIND) as file:
        file.append(rows(0, 5))
    assert names(tmp_path) == ["a.npz", "a.partial.npz"]
    assert (tmp_path / "a.npz").read_bytes() == b"old"
    assert len(np.load(tmp_path / "a.partial.npz")) == 5
