"""The cache of exports: whole or not there, for one process and for two at once."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from helpers.places import SOURCE
from mot_dinov3.config import DeviceConfig
from mot_dinov3.perception.backends import cache
from mot_dinov3.perception.backends.cache import (
    BUILDING,
    MANIFEST,
    ExportKey,
    entry_name,
    export_place,
    is_whole,
    open_entry,
)
from mot_dinov3.perception.backends.choice import Choice

KEY = ExportKey("yolo", "abc", Choice("openvino", "bf16"), (384, 640), exporters=("torch",))


class Build:
    """Fills a folder with two files, and counts how often."""

    def __init__(self, text="weights"):
        self.text, self.runs = text, 0

    def __call__(self, folder):
        self.runs += 1
        (folder / "model.bin").write_text(self.text)
        (folder / "notes").mkdir()
        (folder / "notes" / "names.txt").write_text("person")


def read(build, place, name="entry"):
    with open_entry(name, build, place) as folder:
        return (folder / "model.bin").read_text()


def leftovers(place):
    return [path.name for path in place.iterdir() if path.name.startswith(BUILDING)]


def test_an_entry_is_built_once(tmp_path):
    build = Build()
    place = tmp_path / "a" / "b"
    assert [read(build, place) for _ in range(3)] == ["weights"] * 3
    assert build.runs == 1
    assert [path.name for path in place.iterdir()] == ["entry"]


@pytest.mark.parametrize(
    "harm",
    [
        pytest.param(lambda e: (e / "model.bin").write_text("weightS"), id="changed"),
        pytest.param(lambda e: (e / "model.bin").write_text("weig"), id="cut off"),
        pytest.param(lambda e: (e / "notes" / "names.txt").unlink(), id="file gone"),
        pytest.param(lambda e: (e / MANIFEST).unlink(), id="no manifest"),
        pytest.param(lambda e: (e / MANIFEST).write_text("{"), id="broken manifest"),
        pytest.param(lambda e: (e / MANIFEST).write_text("[1]"), id="odd manifest"),
        pytest.param(lambda e: (e / MANIFEST).write_text("{}"), id="empty manifest"),
    ],
)
def test_a_damaged_entry_is_built_again(tmp_path, harm, caplog):
    build = Build()
    read(build, tmp_path)
    harm(tmp_path / "entry")
    assert not is_whole(tmp_path / "entry")
    with caplog.at_level(logging.WARNING):
        assert read(build, tmp_path) == "weights"
    assert build.runs == 2
    assert "is damaged and is made again" in caplog.text
    assert is_whole(tmp_path / "entry")
    assert not leftovers(tmp_path)


def test_a_failed_build_leaves_nothing(tmp_path):
    def fail(folder):
        (folder / "half").write_text("x")
        raise RuntimeError("no export")

    with pytest.raises(RuntimeError, match="no export"):
        read(fail, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_serves_one_run(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    build = Build()
    with caplog.at_level(logging.WARNING), open_entry("entry", build, tmp_path / "file") as folder:
        assert (folder / "model.bin").read_text() == "weights"
    assert not folder.exists()
    with open_entry("another", build, tmp_path / "file"):
        pass
    assert caplog.text.count("cannot be kept in") == 1
    assert "this run only" in caplog.text


def test_an_entry_that_cannot_get_its_name_serves_one_run(tmp_path, monkeypatch, caplog):
    def refuse(self, target):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "rename", refuse)
    with caplog.at_level(logging.WARNING):
        assert read(Build(), tmp_path) == "weights"
    assert "Permission denied" in caplog.text
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_the_reader_is_not_taken_for_one_of_the_disk(tmp_path):
    build = Build()
    with pytest.raises(OSError, match="reader"), open_entry("entry", build, tmp_path):
        raise OSError("reader")
    assert build.runs == 1


def test_who_is_second_takes_what_the_first_has_made(tmp_path):
    """The other process finishes while this one is still building."""
    theirs = Build("theirs")

    def slow(folder):
        read(theirs, tmp_path)
        Build("ours")(folder)

    assert read(slow, tmp_path) == "theirs"
    assert not leftovers(tmp_path)


TWO = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from mot_dinov3.perception.backends.cache import open_entry
def build(folder):
    for number in range(20):
        (folder / f"{number}.txt").write_text(sys.argv[3] * 1000)
        time.sleep(0.005)
for _ in range(5):
    with open_entry("entry", build, Path(sys.argv[2])) as folder:
        texts = {(folder / f"{number}.txt").read_text() for number in range(20)}
    assert len(texts) == 1, "files of two builds in one entry"
"""


def test_two_processes_at_once_do_not_mix(tmp_path):
    source = SOURCE
    started = [
        subprocess.Popen(
            [sys.executable, "-c", TWO, source, tmp_path, letter], stderr=subprocess.PIPE
        )
        for letter in "ab"
    ]
    for process in started:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
    assert not leftovers(tmp_path)


def test_what_a_dead_process_left_is_swept_up(tmp_path):
    old, young = tmp_path / f"{BUILDING}old", tmp_path / f"{BUILDING}young"
    old.mkdir()
    young.mkdir()
    long_ago = time.time() - 2 * cache.ABANDONED_S
    os.utime(old, (long_ago, long_ago))
    read(Build(), tmp_path)
    assert leftovers(tmp_path) == [young.name]


def test_what_nobody_has_used_for_months_goes_when_something_new_comes(tmp_path):
    for name in ("old", "used", "new"):
        read(Build(), tmp_path, name)
    long_ago = time.time() - 2 * cache.FORGOTTEN_S
    for name in ("old", "used"):
        os.utime(tmp_path / name / MANIFEST, (long_ago, long_ago))
    again = Build()
    read(again, tmp_path, "used")
    assert again.runs == 0
    read(Build(), tmp_path, "another")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["another", "new", "used"]


def test_a_key_is_another_for_everything_it_depends_on(monkeypatch):
    others = [
        replace(KEY, weights="abd"),
        replace(KEY, size=(640, 640)),
        replace(KEY, choice=Choice("onnx", "fp32")),
        replace(KEY, choice=Choice("openvino", "int8")),
        replace(KEY, variant="neck"),
    ]
    names = {key.folder for key in (KEY, *others)}
    assert len(names) == 6
    monkeypatch.setattr(cache, "version", lambda package: "99")
    assert KEY.folder not in names
    assert KEY.folder.startswith("yolo-384x640-openvino-fp32-")


def test_bf16_shares_the_file_of_float32():
    assert KEY.folder == replace(KEY, choice=Choice("openvino", "fp32")).folder


def test_a_name_is_safe_for_any_file_system():
    name = entry_name("../a b/\u00fc*" + "x" * 200, {}, ())
    assert "/" not in name
    assert "*" not in name
    assert len(name) < 120


def test_exports_go_where_the_user_says(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert export_place(DeviceConfig()) == tmp_path / "mot_dinov3" / "exports"
    assert export_place(DeviceConfig(export_cache="~/x")) == Path.home() / "x"
