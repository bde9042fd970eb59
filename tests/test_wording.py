"""Numbers and nouns agree."""

from __future__ import annotations

import pytest

from mot_dinov3.wording import counted, form_of


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 frames"), (1, "1 frame"), (2, "2 frames"), (1000, "1000 frames")]
)
def test_one_alone_is_singular(number, said):
    assert counted(number, "frame") == said


def test_other_words_than_one_with_an_s():
    assert counted(1, "identity", "identities") == "1 identity"
    assert counted(0, "identity", "identities") == "0 identities"
    assert counted(3, "box lies", "boxes lie") == "3 boxes lie"


def test_the_words_alone():
    assert (form_of(1, "frame"), form_of(2, "frame")) == ("frame", "frames")
    assert (form_of(1, "is", "are"), form_of(2, "is", "are")) == ("is", "are")
