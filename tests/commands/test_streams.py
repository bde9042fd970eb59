from __future__ import annotations

import io
import sys

import pytest

from mot_dinov3.commands.streams import PlainStream, plain_streams

HOSTILE = "\x1b]0;TITLE\x07 \x9b2J \u202eabc \x00\x08"


def written(text, encoding="utf-8"):
    raw = io.BytesIO()
    stream = PlainStream(io.TextIOWrapper(raw, encoding=encoding))
    assert stream.write(text) == len(text)
    stream.flush()
    return raw.getvalue().decode(encoding)


def test_control_characters_become_question_marks():
    assert written(HOSTILE) == "?]0;TITLE? ?2J ?abc ??"


@pytest.mark.parametrize(
    "text",
    ["a\n\tb é 中 …\n", "\r 50%|█████     |", "\n\x1b[A", "\r\n", ""],
)
def test_text_and_the_moves_of_a_bar_stay(text):
    assert written(text) == text


def test_moves_count_at_the_beginning_alone():
    assert written("name\rerror: \x1b[A") == "name?error: ?[A"


def test_what_an_encoding_lacks_becomes_a_question_mark():
    assert written("é\udce9", "ascii") == "??"


def test_everything_printed_inside_is_plain(capsys):
    with plain_streams():
        sys.stdout.write("a\x1b[2J\n")
        sys.stderr.write("b\x1b[2J\n")
        sys.stderr.writelines(["c\x07", "d"])
        assert not sys.stdout.isatty()
    sys.stdout.write("e\x1b\n")
    out, err = capsys.readouterr()
    assert (out, err) == ("a?[2J\ne\x1b\n", "b?[2J\nc?d")
