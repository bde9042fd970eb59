from __future__ import annotations

import time

import pytest

from mot_dinov3.runtime.documents import parse_json, read_json, read_yaml
from mot_dinov3.runtime.limits import INT64, MOST_DEPTH, TextLimit, is_too_deep

SMALL = TextLimit(1000, 1000)
BOMB = "a: &a [x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n"
    for old, new in zip("abcdefghi", "bcdefghij", strict=True)
)


def nested(depth, opening="[", closing="]"):
    return opening * depth + closing * depth


def test_plain_documents_are_read(tmp_path):
    (tmp_path / "a.json").write_text('\ufeff{"size": [1, 2]}', encoding="utf-8")
    (tmp_path / "a.yaml").write_text("names:\n  0: person\nstride: 32\n")
    assert read_json(tmp_path / "a.json") == {"size": [1, 2]}
    assert read_yaml(tmp_path / "a.yaml") == {"names": {0: "person"}, "stride": 32}


@pytest.mark.parametrize("depth", [MOST_DEPTH + 1, 1000, 400_000])
def test_a_document_of_lists_in_lists_is_refused(tmp_path, depth):
    with pytest.raises(ValueError, match="inside each other"):
        parse_json(nested(depth))
    with pytest.raises(ValueError, match="inside each other"):
        parse_json(nested(depth, '{"a":', "}").replace(":}", ":1}", 1))
    (tmp_path / "a.yaml").write_text(nested(min(depth, 1000)))
    with pytest.raises(ValueError, match="inside each other"):
        read_yaml(tmp_path / "a.yaml")


def test_depth_is_counted_exactly():
    assert not is_too_deep(parse_json(nested(MOST_DEPTH)))
    assert is_too_deep([[1]], 1)
    assert not is_too_deep({"a": 1, "b": []}, 2)


def test_aliases_are_refused_before_they_grow(tmp_path):
    (tmp_path / "bomb.yaml").write_text(BOMB)
    started = time.monotonic()
    with pytest.raises(ValueError, match="aliases"):
        read_yaml(tmp_path / "bomb.yaml")
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("text", ["a: !!python/object/apply:os.getcwd []", "a: [", "\tx: 1"])
def test_yaml_with_anything_else_is_refused(tmp_path, text):
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(ValueError, match="not YAML"):
        read_yaml(tmp_path / "a.yaml")


@pytest.mark.parametrize("text", ["1" * 1001, "1\n" * 501])
def test_a_text_beyond_its_limit_is_refused(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(OSError, match=r"larger than|longer than"):
        read_json(tmp_path / "a.json", SMALL)


def test_the_largest_number_fits_an_array():
    import numpy as np

    assert np.iinfo(np.int64).max == INT64
