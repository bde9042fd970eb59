"""A ground truth or a result: who is wrong in it, and in which line."""

from __future__ import annotations

import pytest

from mot_dinov3.errors import EXIT_INPUT, InputError
from mot_dinov3.io.formats.identities import read_identities

GOOD = "# who is where\n2,7,0,0,9,9,1\n\n1,7,0,0,9,9,1\n1,8,0,0,9,9,1\n"


def read(tmp_path, text, *length):
    path = tmp_path / "a.txt"
    path.write_text(text)
    return read_identities(path, *length)


def test_a_good_file_is_read_as_it_stands(tmp_path):
    table = read(tmp_path, GOOD, 2, "test")
    assert table.frame_index.tolist() == [0, 0, 1]
    assert table.track_id.tolist() == [7, 8, 7]


def test_identities_may_start_at_zero_and_a_file_may_be_empty(tmp_path):
    assert read(tmp_path, "1,0,0,0,9,9,1\n").track_id.tolist() == [0]
    assert len(read(tmp_path, "", 5, "test")) == 0


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("1,8,5,5,9,9,1", r"line 6: identity 8 is in frame 1 already \(line 5\)"),
        ("1,-1,5,5,9,9,1", "line 6: -1 is not an identity"),
        ("3,9,5,5,9,9,1", r"line 6: frame 3 lies beyond the last one, 2 \(the test says so\)"),
        ("0,9,5,5,9,9,1", "line 6: frame 0 must be"),
        ("-2,9,5,5,9,9,1", "line 6: frame -2 must be"),
        ("1,9.5,5,5,9,9,1", "line 6: identity 9.5 must be a whole number"),
        ("1,9,5,5,9", "line 6: 5 columns"),
        ("1 9 5 5 9 9 1", "line 6: 1 column,"),
    ],
)
def test_a_wrong_row_is_named_by_its_line(tmp_path, row, says):
    with pytest.raises(InputError, match=rf"a\.txt' {says}") as caught:
        read(tmp_path, f"{GOOD}{row}\n2,8,0,0,9,9,1\n", 2, "the test says so")
    assert caught.value.exit_code == EXIT_INPUT
    assert caught.value.fix


def test_blanks_for_commas_are_understood_in_messages_too(tmp_path):
    with pytest.raises(InputError, match="line 2: identity 4 is in frame 3 already"):
        read(tmp_path, "3 4 0 0 9 9 1\n3 4 1 1 9 9 1\n")


def test_without_a_length_every_frame_is_allowed(tmp_path):
    assert read(tmp_path, "900,1,0,0,9,9,1\n").frame_index.tolist() == [899]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_a_byte_order_mark_does_not_hide_the_line(tmp_path, encoding):
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeff1,4,0,0,9,9,1\n1,4,0,0,9,9,1\n".encode(encoding))
    with pytest.raises(InputError, match="line 2: identity 4 is in frame 1 already"):
        read_identities(path)
