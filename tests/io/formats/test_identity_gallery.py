"""The file of `--gallery`: what is written is read, and nothing else is believed."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest

from mot_dinov3.errors import InputError, OutputError
from mot_dinov3.io.formats import identity_gallery
from mot_dinov3.io.formats.identity_gallery import (
    MOST_VECTORS,
    IdentityGallery,
    KnownIdentity,
    edit_gallery,
    read_gallery,
)


def one(number=0, name="Änne", rows=3):
    vectors = np.eye(rows, 8, dtype=np.float32)
    return KnownIdentity(number, name, "person", "a.mp4", 12.5, vectors)


def test_a_gallery_is_read_as_it_was_written(tmp_path):
    path = tmp_path / "new" / "g.npz"
    assert read_gallery(path) == IdentityGallery()
    with edit_gallery(path) as gallery:
        gallery.require_embedder("osnet", "abc", path)
        gallery.add(one())
        gallery.add(one(name="", rows=1))
    again = read_gallery(path)
    assert (again.embedder, again.fingerprint, again.next_id) == ("osnet", "abc", 3)
    assert [(x.id, x.label, len(x.vectors)) for x in again.identities.values()] == [
        (1, "Änne", 3), (2, "ID 2", 1)]  # fmt: skip
    assert np.array_equal(again.identities[1].vectors, one().vectors)


def test_an_empty_gallery_and_one_whose_identities_were_removed_are_read(tmp_path):
    with edit_gallery(tmp_path / "g.npz") as gallery:
        gallery.next_id = 7
    assert read_gallery(tmp_path / "g.npz").next_id == 7


def test_an_identity_keeps_a_bounded_number_of_embeddings_old_and_new():
    known = one(rows=8).learn(np.ones((40, 8), np.float32))
    assert len(known.vectors) == MOST_VECTORS
    assert np.array_equal(known.vectors[0], one().vectors[0])
    assert known.vectors[-1].tolist() == [1] * 8


def write_other_arrays(path):
    np.savez(path, vectors=np.zeros((1, 3)))


def write_pickle(path):
    np.savez(path, format=np.array([{}], object), allow_pickle=True)


def write_bad_columns(path):
    with edit_gallery(path) as gallery:
        gallery.add(one())
    columns = dict(np.load(path)) | {"rows": np.array([2])}
    np.savez(path, **columns)


def write_half(path):
    with edit_gallery(path) as gallery:
        gallery.add(one())
    path.write_bytes(path.read_bytes()[:-300])


@pytest.mark.parametrize(
    "write",
    [write_other_arrays, write_pickle, write_bad_columns, write_half,
     lambda path: path.write_bytes(b"no gallery"), lambda path: path.write_bytes(b"")],
)  # fmt: skip
def test_a_damaged_or_foreign_file_is_refused_in_a_sentence(tmp_path, write):
    path = tmp_path / "g.npz"
    write(path)
    before = path.read_bytes()
    with pytest.raises(InputError, match="is not a gallery of identities"), edit_gallery(path):
        pass
    assert path.read_bytes() == before


def test_a_change_that_fails_leaves_the_file(tmp_path):
    path = tmp_path / "g.npz"
    with edit_gallery(path) as gallery:
        gallery.add(one())
    with suppress(RuntimeError), edit_gallery(path) as gallery:
        gallery.identities.clear()
        raise RuntimeError
    assert len(read_gallery(path).identities) == 1


def test_a_gallery_that_another_run_holds_is_waited_for_but_not_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(identity_gallery, "PATIENCE_S", 0.1)
    path = tmp_path / "g.npz"
    with edit_gallery(path), pytest.raises(OutputError, match="all the time"), edit_gallery(path):
        pass
