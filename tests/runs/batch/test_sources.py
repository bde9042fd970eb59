"""Lists and directories of videos."""

from __future__ import annotations

import os

import pytest

from mot_dinov3.errors import EXIT_INPUT, InputError
from mot_dinov3.runs.batch.sources import (
    ListedSource,
    expand_sources,
    find_videos,
    is_list,
    read_list,
)


def write(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refusal(call, *words, **more):
    with pytest.raises(InputError) as caught:
        call(*words, **more)
    assert caught.value.exit_code == EXIT_INPUT
    assert caught.value.fix
    assert "\n" not in caught.value.what
    return caught.value


def test_a_list_is_relative_to_itself_and_knows_its_lines(tmp_path):
    text = "\ufeff# mine\r\na one.mp4\r\n\r\n  sub/b#2.mp4  \r\n#c.mp4\n/abs/d.mp4\n../e.mp4"
    found = read_list(write(tmp_path / "list.txt", text))
    names = ["a one.mp4", "sub/b#2.mp4", "/abs/d.mp4", "../e.mp4"]
    assert [item.source for item in found] == [str(tmp_path / name) for name in names]
    assert [item.where.rpartition(":")[2] for item in found] == ["2", "4", "6", "7"]
    assert found[0].where == f"{tmp_path / 'list.txt'}:2"


def test_what_is_no_path_stays_as_it_is(tmp_path):
    lines = ["rtsp://camera/1", "synthetic:flock:7", "file:///x/y.mp4", "0", "mot:SEQ", "~/v.mp4"]
    found = [item.source for item in read_list(write(tmp_path / "list.txt", "\n".join(lines)))]
    assert found[:4] == lines[:4]
    assert found[4] == f"mot:{tmp_path / 'SEQ'}"
    assert found[5] == os.path.expanduser("~/v.mp4")  # noqa: PTH111 - the expected text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names no video"),
        ("# nothing\n\n", "names no video"),
        ("a.mp4\nb\xff\n".encode("latin-1"), "list.txt:2 is not text"),
        ("a.mp4\nb.mp4\nc\0d.mp4\n", "list.txt:3 is not text"),
        ("a.mp4\nother.TXT", "list.txt:2 names another list"),
        (b"a" * 10_000_001, "is too long for a list"),
    ],
)
def test_a_wrong_list_names_the_line(tmp_path, text, said):
    assert said in refusal(read_list, write(tmp_path / "list.txt", text)).what


def test_a_list_that_is_not_there_is_a_sentence(tmp_path):
    assert "no.txt': No such file" in refusal(read_list, tmp_path / "no.txt").what


def test_only_a_path_with_that_ending_is_a_list(tmp_path):
    assert is_list("a.txt")
    assert is_list("A.TXT")
    (tmp_path / "dir.txt").mkdir()
    for source in (str(tmp_path / "dir.txt"), "http://x/a.txt", "mot:a.txt", "a.mp4", ""):
        assert not is_list(source)


def test_sources_keep_their_order(tmp_path):
    write(tmp_path / "list.txt", "b.mp4\n")
    found = expand_sources(["a.mp4", str(tmp_path / "list.txt"), "c.mp4"], each=False)
    assert found == [
        ListedSource("a.mp4"),
        ListedSource(str(tmp_path / "b.mp4"), f"{tmp_path / 'list.txt'}:1"),
        ListedSource("c.mp4"),
    ]


def test_each_takes_the_videos_of_a_directory_in_natural_order(tmp_path):
    for name in ("clip10.mp4", "clip9.MKV", ".hidden.mp4", "notes.txt", "picture.png"):
        write(tmp_path / name, "x")
    for name, file in (("seq", "seqinfo.ini"), ("empty", "readme"), ("d.mp4", "x.png")):
        (tmp_path / name).mkdir()
        write(tmp_path / name / file, "")
    assert [path.name for path in find_videos(tmp_path)] == ["clip9.MKV", "clip10.mp4", "seq"]
    assert expand_sources([str(tmp_path)], each=False) == [ListedSource(str(tmp_path))]
    assert len(expand_sources([str(tmp_path), "a.mp4"], each=True)) == 4


def test_each_on_a_directory_without_videos_says_what_it_takes(tmp_path):
    error = refusal(expand_sources, [str(tmp_path)], each=True)
    assert f"There is no video in '{tmp_path}'" in error.what
    assert ".mp4" in error.fix
    write(tmp_path / "list.txt", "empty")
    (tmp_path / "empty").mkdir()
    assert (
        "list.txt:1: There is no video"
        in refusal(expand_sources, [str(tmp_path / "list.txt")], each=True).what
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_a_list_with_a_byte_order_mark(tmp_path, encoding):
    text = "\ufeffcaf\u00e9.mp4\r\nb.mp4\r\n".encode(encoding)
    found = read_list(write(tmp_path / "list.txt", text))
    assert [item.source for item in found] == [
        str(tmp_path / name) for name in ("caf\u00e9.mp4", "b.mp4")
    ]
