from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import pytest

from mot_dinov3.runtime import opening
from mot_dinov3.runtime.limits import TextLimit
from mot_dinov3.runtime.opening import (
    decode_text,
    is_regular,
    keep_regular,
    open_regular,
    read_regular,
    read_text,
)


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


ODD = {
    "pipe": os.mkfifo,
    "device": lambda path: path.symlink_to("/dev/zero"),
    "socket": make_socket,
    "directory": lambda path: path.mkdir(),
    "link to itself": lambda path: path.symlink_to(path),
    "link to nothing": lambda path: path.symlink_to("nowhere"),
}


@pytest.mark.parametrize("kind", ODD)
def test_only_regular_files_are_opened_and_none_is_waited_for(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)  # the name of a socket may not be long
    path = Path("odd.jpg")
    ODD[kind](path)
    started = time.monotonic()
    with pytest.raises(OSError, match=r"regular|directory|links|No such") as caught:
        open_regular(path)
    assert time.monotonic() - started < 1
    assert caught.value.strerror
    assert not is_regular(path)


def test_a_file_and_a_link_to_one_are_read(tmp_path):
    (tmp_path / "file").write_bytes(b"abc")
    (tmp_path / "link").symlink_to("file")
    assert read_regular(tmp_path / "link", 3) == b"abc"
    assert list(keep_regular(tmp_path.iterdir())) != []


def test_a_larger_file_is_refused_with_its_limit(tmp_path):
    (tmp_path / "large").touch()
    os.truncate(tmp_path / "large", 1 << 40)
    with pytest.raises(OSError, match="larger than 10 MB"):
        read_regular(tmp_path / "large", 10 << 20)
    with open_regular(tmp_path / "large") as file:
        assert file.read(1) == b"\0"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_file_of_the_system_without_a_size_is_empty():
    assert read_regular(Path("/proc/self/stat"), 100) == b""


def test_a_name_that_is_not_possible_is_not_a_file():
    assert not is_regular(Path("a\0b"))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        pytest.param(b"a" * 11, "line longer than 10 bytes", id="one line"),
        pytest.param(b"a\n" + b"b" * 11 + b"\n", "line longer than 10 bytes", id="second line"),
        pytest.param(b"a\n" * 51, "larger than 100 bytes", id="many lines"),
    ],
)
def test_a_text_has_a_size_and_short_lines(tmp_path, data, says):
    (tmp_path / "text").write_bytes(data)
    with pytest.raises(OSError, match=says):
        read_text(tmp_path / "text", TextLimit(100, 10))


def test_lines_are_measured_across_the_pieces_they_are_read_in(tmp_path, monkeypatch):
    monkeypatch.setattr(opening, "CHUNK_BYTES", 4)
    (tmp_path / "text").write_bytes(b"abcdefghij\n\nabc\nabcdefghij")
    assert read_text(tmp_path / "text", TextLimit(100, 10)).split("\n")[2] == "abc"
    with pytest.raises(OSError, match="longer"):
        read_text(tmp_path / "text", TextLimit(100, 9))


def test_a_mark_at_the_beginning_of_a_text_is_left_out(tmp_path):
    (tmp_path / "text").write_bytes(b"\xef\xbb\xbfabc")
    assert read_text(tmp_path / "text", TextLimit(100, 10)) == "abc"


def mark(text, encoding):
    """A text as Windows writes it, with a byte order mark."""
    return ("\ufeff" + text).encode(encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_a_byte_order_mark_is_not_part_of_a_text(encoding):
    assert decode_text(mark("caf\u00e9 = 1\r\n", encoding)) == "caf\u00e9 = 1\r\n"
    assert decode_text("caf\u00e9".encode()) == "caf\u00e9"
    assert decode_text(b"") == ""
    with pytest.raises(UnicodeDecodeError):
        decode_text(b"caf\xe9")
    assert decode_text(b"caf\xe9", "replace") == "caf\ufffd"


def test_a_name_with_a_nul_cannot_be_opened():
    with pytest.raises(OSError, match="no such name is possible"):
        open_regular(Path("a\0b"))
