"""Names, merging and removing: what is asked for is done, and all else refused in a sentence."""

from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.errors import MotError
from mot_dinov3.io.formats.identity_gallery import MOST_VECTORS, IdentityGallery, KnownIdentity
from mot_dinov3.runs.identities import editing


@pytest.fixture
def gallery():
    rows = [(1, "Anna", "person"), (2, "", "person"), (3, "", "car"), (4, "Bo", "person")]
    vectors = np.eye(12, dtype=np.float32)
    known = {n: KnownIdentity(n, name, kind, "a", 1.0, vectors) for n, name, kind in rows}
    return IdentityGallery("e", "f", 5, known)


def test_the_first_of_those_that_are_merged_keeps_its_id_and_gets_a_name(gallery):
    assert editing.merge(gallery, ["2", "Anna"]).id == 2
    assert sorted(gallery.identities) == [2, 3, 4]
    kept = gallery.identities[2]
    assert (kept.name, len(kept.vectors)) == ("Anna", MOST_VECTORS)


def test_what_is_renamed_or_removed_is_found_by_name_or_id(gallery):
    assert editing.rename(gallery, "2", " Cleo ").name == "Cleo"
    assert [one.id for one in editing.remove(gallery, ["Cleo", "4", "Bo"])] == [2, 4]
    assert gallery.next_id == 5
    assert editing.find_alike(gallery, gallery.identities[1]) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda g: editing.merge(g, ["1", "3"]), "a person and ID 3 a car"),
        (lambda g: editing.merge(g, ["1", "Anna"]), "One identity alone"),
        (lambda g: editing.rename(g, "2", "Bo"), "called 'Bo' already"),
        (lambda g: editing.rename(g, "2", "17"), "'17' is not a name"),
        (lambda g: editing.rename(g, "2", "a\nb"), "is not a name"),
        (lambda g: editing.remove(g, ["1", "Zoe"]), "knows no 'Zoe'"),
    ],
)
def test_a_change_that_cannot_be_made_is_refused_and_changes_nothing(gallery, change, sentence):
    before = dict(gallery.identities)
    with pytest.raises(MotError, match=sentence):
        change(gallery)
    assert gallery.identities == before
