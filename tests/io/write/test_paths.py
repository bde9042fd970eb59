"""Outputs that must be refused before any work is done."""

from __future__ import annotations

import os
import shutil
import stat
import time

import numpy as np
import pytest

from mot_dinov3.errors import EXIT_OUTPUT, OutputError
from mot_dinov3.io.write.atomic import AtomicTextFile
from mot_dinov3.io.write.columns import ColumnFile
from mot_dinov3.io.write.directories import AtomicDirectory
from mot_dinov3.io.write.paths import (
    check_output,
    check_output_directory,
    publish,
    reserve_partial,
)
from mot_dinov3.io.write.writer import VideoWriter, VideoWriterConfig


def refusal(path, source=None, no_clobber=False):
    with pytest.raises(OutputError) as caught:
        check_output(path, source, no_clobber)
    assert caught.value.exit_code == EXIT_OUTPUT
    assert caught.value.fix
    return caught.value.what


def test_new_files_and_replaced_files_are_fine(tmp_path):
    source = tmp_path / "in.mp4"
    source.write_bytes(b"x")
    check_output(tmp_path / "out.mp4", source, no_clobber=True)
    check_output(tmp_path / "new" / "deep" / "out.mp4", source, no_clobber=True)
    assert not (tmp_path / "new").exists()
    (tmp_path / "out.mp4").write_bytes(b"old")
    check_output(tmp_path / "out.mp4", source, no_clobber=False)
    check_output(tmp_path / "out.mp4", None, no_clobber=False)


@pytest.mark.parametrize("link", ["", "symlink", "hardlink", "directory link", "dots"])
def test_the_input_is_never_overwritten(tmp_path, link):
    source = tmp_path / "in.mp4"
    source.write_bytes(b"x")
    output = tmp_path / "other.mp4"
    if link == "symlink":
        output.symlink_to(source)
    elif link == "hardlink":
        output.hardlink_to(source)
    elif link == "directory link":
        (tmp_path / "alias").symlink_to(tmp_path)
        output = tmp_path / "alias" / "in.mp4"
    elif link == "dots":
        (tmp_path / "sub").mkdir()
        output = tmp_path / "sub" / ".." / "in.mp4"
    else:
        output = source
    assert "is the input itself" in refusal(output, source)
    assert "is the input itself" in refusal(output, source, no_clobber=True)


def test_no_clobber_refuses_what_exists_even_a_dead_link(tmp_path):
    (tmp_path / "out.mp4").write_bytes(b"old")
    assert "--no-clobber" in refusal(tmp_path / "out.mp4", no_clobber=True)
    (tmp_path / "dead.mp4").symlink_to(tmp_path / "gone.mp4")
    assert "--no-clobber" in refusal(tmp_path / "dead.mp4", no_clobber=True)


def test_a_directory_is_no_output(tmp_path):
    assert "is a directory" in refusal(tmp_path)


def test_a_file_is_no_directory(tmp_path):
    (tmp_path / "file").write_text("x")
    assert "not a directory" in refusal(tmp_path / "file" / "out.mp4").lower()
    assert "not a directory" in refusal(tmp_path / "file" / "deep" / "out.mp4").lower()


def test_a_name_that_the_system_refuses(tmp_path):
    assert "too long" in refusal(tmp_path / ("x" * 300 + ".mp4"))


def test_a_directory_that_takes_no_files(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert "no permission" in refusal(tmp_path / "out.mp4")


def test_a_partial_file_keeps_its_suffix_and_is_new(tmp_path):
    first = reserve_partial(tmp_path / "a" / "out.mp4")
    second = reserve_partial(tmp_path / "a" / "out.mp4")
    assert first.name == "out.partial.mp4"
    assert second.name == "out.partial-2.mp4"
    assert first.read_bytes() == b""


def test_publishing_replaces_in_one_step(tmp_path):
    partial = reserve_partial(tmp_path / "out.mp4")
    partial.write_bytes(b"new")
    (tmp_path / "out.mp4").write_bytes(b"old")
    publish(partial, tmp_path / "out.mp4", replace=True)
    assert (tmp_path / "out.mp4").read_bytes() == b"new"
    assert not partial.exists()


def write_text_lines(path):
    with AtomicTextFile(path) as file:
        file.write_line("one")
        yield
        file.write_line("two")


def write_columns(path):
    kind = np.dtype([("id", "<i8")])
    with ColumnFile(path, kind) as file:
        file.append(np.zeros(3, kind))
        yield
        file.append(np.zeros(3, kind))


def write_no_columns(path):
    with ColumnFile(path, np.dtype([("id", "<i8")])):
        yield


def write_video(path):
    with VideoWriter(VideoWriterConfig(path, 25.0)) as writer:
        writer.write(np.zeros((48, 64, 3), np.uint8), 0.0)
        while not writer.codec:
            time.sleep(0.01)
        yield
        writer.write(np.zeros((48, 64, 3), np.uint8), 0.04)


def write_directory(path):
    with AtomicDirectory(path) as directory:
        directory.write("1", "a", b"a")
        yield


def write_more_to_a_directory(path):
    with AtomicDirectory(path) as directory:
        directory.write("1", "a", b"a")
        yield
        directory.write("2", "a", b"a")


OUTPUTS = {
    "o.txt": write_text_lines,
    "o.npz": write_columns,
    "empty.npz": write_no_columns,
    "o.mp4": write_video,
    "crops": write_directory,
    "more": write_more_to_a_directory,
}


@pytest.mark.parametrize("name", OUTPUTS)
@pytest.mark.parametrize("how", ["moved", "moved and made again", "removed"])
def test_an_output_whose_directory_is_gone_is_told_with_its_name(tmp_path, name, how):
    place = tmp_path / "o"
    place.mkdir()
    work = OUTPUTS[name](place / name)
    next(work)
    if how == "removed":
        shutil.rmtree(place)
    else:
        place.rename(tmp_path / "elsewhere")
    if how == "moved and made again":
        place.mkdir()
    with pytest.raises(OutputError, match=r"cannot be finished: '.*partial.*' was moved") as caught:
        next(work)
    assert caught.value.exit_code == EXIT_OUTPUT
    assert list(tmp_path.glob(f"o/{name}*")) == []


def check_as_file(path):
    check_output(path, None, no_clobber=False)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
@pytest.mark.parametrize("kind", ["file", "directory"])
def test_a_link_of_another_user_in_a_directory_for_all_is_refused(tmp_path, kind):
    check = check_output_directory if kind == "directory" else check_as_file
    if kind == "directory":
        (tmp_path / "mine").mkdir()
    place = tmp_path / "shared"
    place.mkdir()
    place.chmod(0o1777)
    link = place / "out"
    link.symlink_to(tmp_path / "mine")
    check(link)
    os.chown(link, 12345, 12345, follow_symlinks=False)
    with pytest.raises(OutputError, match="another user"):
        check(link)
    place.chmod(0o755)
    check(link)


def test_a_link_is_followed_and_stays(tmp_path):
    (tmp_path / "there").mkdir()
    link = tmp_path / "o.txt"
    link.symlink_to(tmp_path / "there" / "real.txt")
    with AtomicTextFile(link) as file:
        file.write_line("one")
        assert file.partial == tmp_path / "there" / "real.partial.txt"
    assert link.is_symlink()
    assert (tmp_path / "there" / "real.txt").read_text() == "one\n"


def test_a_link_in_the_place_of_a_partial_file_is_not_written_to(tmp_path):
    (tmp_path / "mine").write_text("precious")
    (tmp_path / "o.partial.txt").symlink_to(tmp_path / "mine")
    with AtomicTextFile(tmp_path / "o.txt") as file:
        file.write_line("one")
    assert (tmp_path / "mine").read_text() == "precious"


def test_no_finished_file_takes_the_place_of_a_pipe_or_a_device(tmp_path):
    """An administrator's run would replace `/dev/null` for every program of the machine."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "o.csv").symlink_to("pipe")
    with pytest.raises(OutputError, match="not a regular file"):
        reserve_partial(tmp_path / "o.csv")
    partial = reserve_partial(tmp_path / "v.mp4")
    (tmp_path / "v.mp4").symlink_to("pipe")  # it came meanwhile
    with pytest.raises(OutputError, match="not a regular file"):
        publish(partial, tmp_path / "v.mp4", replace=True)
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
