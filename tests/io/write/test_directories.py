"""Directories as outputs: new, whole files only, and nothing of anybody else's is touched."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.places import SOURCE
from mot_dinov3.errors import OutputError
from mot_dinov3.io.write.directories import AtomicDirectory
from mot_dinov3.io.write.paths import check_output_directory, is_partial_name


def tree(directory):
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*"))


def test_the_name_appears_at_the_end(tmp_path):
    with AtomicDirectory(tmp_path / "deep" / "crops") as directory:
        directory.write("7", "a.jpg", b"one")
        assert tree(tmp_path) == [
            "deep", "deep/crops.partial", "deep/crops.partial/7", "deep/crops.partial/7/a.jpg",
        ]  # fmt: skip
    assert tree(tmp_path) == ["deep", "deep/crops", "deep/crops/7", "deep/crops/7/a.jpg"]


def test_an_empty_directory_gives_way(tmp_path):
    (tmp_path / "crops").mkdir()
    with AtomicDirectory(tmp_path / "crops") as directory:
        directory.write("7", "a.jpg", b"one")
        directory.write("7", "b.jpg", b"two")
        directory.remove("7", "a.jpg")
    assert tree(tmp_path) == ["crops", "crops/7", "crops/7/b.jpg"]


def test_partial_names_are_those_of_files(tmp_path):
    with AtomicDirectory(tmp_path / "my.crops") as directory:
        assert is_partial_name(directory.partial, tmp_path / "my.crops")


def write_then_fail(path):
    with AtomicDirectory(path) as directory:
        directory.write("7", "a.jpg", b"one")
        raise RuntimeError("elsewhere")


def test_what_was_written_before_an_exception_elsewhere_is_kept(tmp_path):
    with pytest.raises(RuntimeError, match="elsewhere"):
        write_then_fail(tmp_path / "crops")
    assert (tmp_path / "crops" / "7" / "a.jpg").read_bytes() == b"one"


def write_while_another_takes_the_name(path):
    with AtomicDirectory(path) as directory:
        directory.write("7", "a.jpg", b"one")
        path.mkdir()
        (path / "mine").write_text("mine")


def test_what_appeared_meanwhile_is_left_alone(tmp_path):
    with pytest.raises(OutputError, match="not empty") as caught:
        write_while_another_takes_the_name(tmp_path / "crops")
    assert "crops.partial" in caught.value.fix
    assert (tmp_path / "crops" / "mine").read_text() == "mine"
    assert (tmp_path / "crops.partial" / "7" / "a.jpg").read_bytes() == b"one"


def test_what_another_run_left_is_left_alone(tmp_path):
    (tmp_path / "crops.partial").mkdir()
    with AtomicDirectory(tmp_path / "crops") as directory:
        assert directory.partial.name == "crops.partial-2"
    assert tree(tmp_path) == ["crops", "crops.partial"]


def write_to_a_full_disk(path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    with AtomicDirectory(path) as directory:
        directory.write("7", "a.jpg", b"one")
        monkeypatch.setattr(Path, "write_bytes", full)
        directory.write("7", "b.jpg", b"two")


def test_a_file_that_cannot_be_written_keeps_the_partial_name(tmp_path, monkeypatch):
    with pytest.raises(OutputError, match="No space"):
        write_to_a_full_disk(tmp_path / "c", monkeypatch)
    assert tree(tmp_path) == ["c.partial", "c.partial/7", "c.partial/7/a.jpg"]


def test_files_are_whole_after_a_kill(tmp_path):
    code = (
        "import os, sys; sys.path.insert(0, sys.argv[2])\n"
        "from mot_dinov3.io.write.directories import AtomicDirectory\n"
        "directory = AtomicDirectory(sys.argv[1]).__enter__()\n"
        "directory.write('7', 'a.jpg', b'one')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    source = SOURCE
    subprocess.run([sys.executable, "-c", code, tmp_path / "crops", source], check=False)
    assert tree(tmp_path) == ["crops.partial", "crops.partial/7", "crops.partial/7/a.jpg"]


def refusal(path):
    with pytest.raises(OutputError) as caught:
        check_output_directory(path)
    return str(caught.value)


def test_only_a_new_place_is_taken(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    (tmp_path / "dead").symlink_to(tmp_path / "gone")
    check_output_directory(tmp_path / "new" / "crops")
    check_output_directory(tmp_path / "empty")
    assert "is not empty" in refusal(tmp_path)
    assert "is not a directory" in refusal(tmp_path / "file")
    assert "is not a directory" in refusal(tmp_path / "dead")
    assert "not a directory" in refusal(tmp_path / "file" / "crops").lower()
    assert "too long" in refusal(tmp_path / ("x" * 300))
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert "no permission" in refusal(tmp_path / "new")
