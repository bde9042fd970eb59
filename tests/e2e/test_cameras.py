"""Two cameras from outside: one command, one Ctrl-C, and whole outputs of both."""

from __future__ import annotations

import signal
import threading
import time

import pytest

from helpers.feeds import stream_bytes
from helpers.jobs import cli, records, start
from helpers.loopback import LoopbackCamera

FREE = ("--det", "motion", "--embedder", "none", "--no-video", "--no-drop",
        "--save-jsonl", "out.jsonl", "--save-mot", "{name}.txt")  # fmt: skip
LONG_S = 40


@pytest.fixture
def cameras(tmp_path):
    """Two cameras that freeze after their last picture."""
    hold = threading.Event()
    data = stream_bytes(tmp_path, frames=60, size=(160, 120))
    with LoopbackCamera((data, hold)) as one, LoopbackCamera((data, hold)) as two:
        yield one, two
        hold.set()


def test_ctrl_c_ends_both_in_order(tmp_path, cameras):
    place = tmp_path / "run"
    place.mkdir()
    urls = [camera.url for camera in cameras]
    names = [url.rpartition(":")[2] for url in urls]
    process = start("--source", *urls, *FREE, "--stats-json", "s.json", cwd=place)
    until = time.monotonic() + LONG_S
    partial = [place / name / "out.partial.jsonl" for name in names]
    while not all(path.exists() and path.stat().st_size for path in partial):
        assert time.monotonic() < until
        time.sleep(0.1)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=LONG_S)
    assert process.returncode == 130, err
    for name in names:
        frames = len(records(place / name / "out.jsonl"))
        assert f"] {name}: {frames} frames, " in err
        assert (place / name / "s.json").exists()
        assert (place / f"{name}.txt").exists()
    assert "Traceback" not in err
    assert "0 of 2 cameras without a problem" in err


def test_what_cannot_be_is_one_sentence(tmp_path):
    words = ("--source", "rtsp://a/1", "rtsp://b/1", *FREE)
    for more in (("--show",), ("--resume",), ("--workers", "1")):
        code, _, err = cli(*words, *more, cwd=tmp_path)
        assert code == 2
        assert len([line for line in err.splitlines() if line.startswith("error:")]) == 1
        assert more[0] in err
