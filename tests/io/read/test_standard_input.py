"""A video through a pipe: read as it comes, or said why it cannot be."""

from __future__ import annotations

import os
import sys
import threading
import time

import numpy as np
import pytest

from helpers.clips import Clip, make_clip, number_of
from mot_dinov3.config import SourceConfig
from mot_dinov3.errors import InputError
from mot_dinov3.io.read.sources import open_source, plain_name


class Descriptor:
    """What the product asks of `sys.stdin`."""

    def __init__(self, number):
        self.number = number

    def fileno(self):
        return self.number


@pytest.fixture
def pipe(monkeypatch):
    """Make a pipe the standard input; returns the descriptor to write to."""
    reading, writing = os.pipe()
    monkeypatch.setattr(sys, "stdin", Descriptor(reading))
    yield writing
    os.close(reading)


def feed(writing, data):
    def run():
        with os.fdopen(writing, "wb") as file:
            file.write(data)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def read(**more):
    with open_source(SourceConfig(source="-", **more)) as reader:
        return reader, list(reader)


@pytest.mark.parametrize(
    ("name", "options"),
    [("a.mkv", ()), ("a.ts", ()), ("a.avi", ()), ("late.mp4", ()),
     ("early.mp4", (("movflags", "faststart"),)),
     ("pieces.mp4", (("movflags", "frag_keyframe+empty_moov"),))],
)  # fmt: skip
def test_a_piped_video_is_read_in_order(tmp_path, pipe, name, options):
    codec = "mjpeg" if name == "a.avi" else "libx264"
    pixels = "yuvj420p" if name == "a.avi" else "yuv420p"
    clip = Clip(30, (160, 120), codec=codec, pix_fmt=pixels, muxer_options=options)
    thread = feed(pipe, make_clip(tmp_path / name, clip).read_bytes())
    reader, frames = read()
    thread.join()
    assert [number_of(frame.image) for frame in frames] == list(range(30))
    assert np.diff([frame.time_s for frame in frames]) == pytest.approx(0.04, abs=1.1e-3)
    assert (reader.info.name, reader.info.path) == ("standard input", None)
    assert not reader.partial


@pytest.mark.parametrize("name", ["a.mkv", "early.mp4", "a.avi"])
def test_a_pipe_that_breaks_off_is_partial(tmp_path, pipe, name):
    options = (("movflags", "faststart"),) if name == "early.mp4" else ()
    codec = "mpeg4" if name == "a.avi" else "libx264"
    clip = Clip(frames=60, size=(160, 120), codec=codec, muxer_options=options)
    data = make_clip(tmp_path / name, clip).read_bytes()
    feed(pipe, data[: len(data) * 3 // 4])
    reader, frames = read()
    assert 20 < len(frames) < 60
    assert reader.partial
    assert reader.faults["truncated"] == 1


def test_a_cut_movie_with_its_index_at_the_end_says_so(tmp_path, pipe):
    data = make_clip(tmp_path / "a.mp4", Clip(frames=30)).read_bytes()
    feed(pipe, data[: len(data) // 2])
    with pytest.raises(InputError, match=r"The standard input is cut short: \d+ bytes are missing"):
        read()


def test_a_file_in_place_of_the_pipe(tmp_path, monkeypatch):
    with make_clip(tmp_path / "a.mp4").open("rb") as file:
        monkeypatch.setattr(sys, "stdin", file)
        assert len(read(max_frames=5)[1]) == 5


@pytest.mark.parametrize(("data", "says"), [(b"", "is empty"), (b"text " * 99, "is not a video")])
def test_what_is_not_a_video_is_said(pipe, data, says):
    feed(pipe, data).join()
    with pytest.raises(InputError, match=f"The standard input {says}"):
        read()


def test_a_terminal_is_not_waited_for(monkeypatch):
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    monkeypatch.setattr(sys, "stdin", Descriptor(theirs))
    try:
        with pytest.raises(InputError, match="here is a terminal"):
            read()
    finally:
        os.close(ours)
        os.close(theirs)


def test_a_pipe_in_which_nothing_comes_can_be_left(pipe):
    started = time.monotonic()
    with pytest.raises(InputError, match="is empty"):
        open_source(SourceConfig(source="-"), None, lambda: time.monotonic() > started + 0.3)
    assert time.monotonic() - started < 5
    os.close(pipe)


def test_outputs_are_named_after_it():
    assert plain_name("-") == "standard-input"


@pytest.mark.parametrize("through_a_pipe", [True, False])
def test_a_pointer_to_a_file_is_called_one(tmp_path, pipe, monkeypatch, through_a_pipe):
    data = b"version https://git-lfs.github.com/spec/v1\noid sha256:0a\nsize 3\n"
    feed(pipe, data).join()
    path = tmp_path / "a.mp4"
    path.write_bytes(data)
    with path.open("rb") as file:
        if not through_a_pipe:
            monkeypatch.setattr(sys, "stdin", file)
        with pytest.raises(InputError, match="pointer of git-lfs"):
            read()
