"""The npz of embeddings: read in pieces, renamed in one column, and refused when it is foreign."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest

from mot_dinov3.errors import InputError
from mot_dinov3.io.formats import embeddings as module
from mot_dinov3.io.formats.embeddings import read_embeddings, rename_embeddings

ROWS = 25


def columns(rows=ROWS, width=4):
    rng = np.random.default_rng(0)
    return {
        "id": rng.integers(1, 9, rows),
        "frame": np.arange(rows),
        "memorable": rng.random(rows) > 0.3,
        "vectors": rng.normal(size=(rows, width)).astype(np.float32),
        "names": np.array(["person", "人"]),
    }


def archive(path, **change):
    np.savez(path, **{k: v for k, v in {**columns(), **change}.items() if v is not None})
    return path


def test_blocks_are_all_rows_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "ROWS_AT_ONCE", 7)
    blocks = list(read_embeddings(archive(tmp_path / "a.npz")))
    assert [len(block[0]) for block in blocks] == [7, 7, 7, 4]
    known = columns()
    for place, name in enumerate(("id", "memorable", "vectors")):
        np.testing.assert_array_equal(np.concatenate([b[place] for b in blocks]), known[name])


def test_a_run_without_embeddings_has_no_blocks(tmp_path):
    path = archive(tmp_path / "a.npz", **columns(rows=0, width=0))
    assert list(read_embeddings(path)) == []
    (tmp_path / "b.npz").touch()
    rename_embeddings(path, tmp_path / "b.npz", {1: 2})


def test_only_the_identities_change(tmp_path):
    source, target = archive(tmp_path / "a.npz"), tmp_path / "b.npz"
    target.touch()
    rename_embeddings(source, target, {3: 1, 8: 2})
    with np.load(source) as old, np.load(target, allow_pickle=False) as new:
        assert old.files == new.files
        assert set(new["id"].tolist()) == set(old["id"].tolist()) - {3, 8}
        assert ((old["id"] == new["id"]) | np.isin(old["id"], [3, 8])).all()
        for name in ("frame", "memorable", "vectors", "names"):
            np.testing.assert_array_equal(old[name], new[name])


@pytest.mark.parametrize(
    "change",
    [
        {"id": None},
        {"memorable": None},
        {"id": np.zeros(ROWS, np.float64)},
        {"id": np.zeros(ROWS - 1, np.int64)},
        {"vectors": np.zeros(ROWS, np.float32)},
        {"vectors": np.zeros((ROWS, 4), np.float64)},
        {"vectors": np.asfortranarray(np.ones((ROWS, 4), np.float32))},
        {"id": np.array([object()] * ROWS)},
    ],
)
def test_a_foreign_file_is_a_sentence_and_no_pickle_is_opened(tmp_path, change):
    path = archive(tmp_path / "a.npz", **change)
    with pytest.raises(InputError, match="is not a file of embeddings"):
        list(read_embeddings(path))


@pytest.mark.parametrize("size", [0, 10, 300, 900])
def test_a_file_that_is_cut_short_is_a_sentence(tmp_path, size):
    path = archive(tmp_path / "a.npz")
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(InputError, match="is not a file of embeddings"):
        list(read_embeddings(path))


def test_a_member_that_promises_more_than_it_holds_is_a_sentence(tmp_path):
    path = archive(tmp_path / "a.npz")
    with zipfile.ZipFile(path) as old:
        members = {name: old.read(name) for name in old.namelist()}
    members["vectors.npy"] = members["vectors.npy"][:-8]
    with zipfile.ZipFile(path, "w") as new:
        for name, data in members.items():
            new.writestr(name, data)
    with pytest.raises(InputError, match="it is cut short"):
        list(read_embeddings(path))


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(InputError, match="Cannot read"):
        list(read_embeddings(tmp_path / "none.npz"))
