"""Runs that are stopped, killed or cut off by a full disk: what they leave is usable."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import pytest

from helpers.clips import read_back
from helpers.jobs import environment, make_scene, records, replay, start
from helpers.places import ROOT
from mot_dinov3.runs.jobs.figures import write_stats

FRAMES = 2000
OUTPUTS = ("--output", "o.mp4", "--save-mot", "o.txt", "--save-jsonl", "o.jsonl")


@pytest.fixture(scope="module")
def long_scene(tmp_path_factory):
    return make_scene(tmp_path_factory.mktemp("long"), FRAMES)


def frames_that_play(path):
    """How many frames a player shows before the file breaks off."""
    count = 0
    with contextlib.suppress(av.FFmpegError), av.open(str(path)) as container:
        for _ in container.decode(video=0):
            count += 1
    return count


def start_and_wait(scene, cwd, lines=100):
    """Start a long run and return once it has tracked `lines` frames."""
    process = start(*replay(scene, *OUTPUTS, "--stats-json", "s.json"), cwd=cwd)
    growing = cwd / "o.partial.jsonl"
    for _ in range(2000):
        if growing.exists() and growing.read_text().count("\n") >= lines:
            return process
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.kill()
    raise AssertionError("the run did not get going")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_run_cleanly(long_scene, tmp_path, number, code):
    process = start_and_wait(long_scene, tmp_path)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    stats = json.loads((tmp_path / "s.json").read_text())
    assert 100 <= stats["frames"] < FRAMES
    assert stats["stopped_by_signal"] == number
    assert len(read_back(tmp_path / "o.mp4")) == stats["frames"]
    assert len(records(tmp_path / "o.jsonl")) == stats["frames"]
    assert f"{stats['frames']} frames in" in err
    assert "Traceback" not in err
    assert not list(tmp_path.glob("*.partial*"))


def test_a_killed_run_leaves_a_playable_start_and_the_old_result(long_scene, tmp_path):
    (tmp_path / "o.mp4").write_bytes(b"the last good one")
    process = start_and_wait(long_scene, tmp_path, lines=400)
    process.kill()
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert (tmp_path / "o.mp4").read_bytes() == b"the last good one"
    assert not (tmp_path / "o.txt").exists()
    assert not (tmp_path / "o.jsonl").exists()
    assert frames_that_play(tmp_path / "o.partial.mp4") > 50
    text = (tmp_path / "o.partial.jsonl").read_text()
    whole = text[: text.rfind("\n")].splitlines()
    assert [json.loads(line)["frame"] for line in whole] == list(range(len(whole)))
    assert len(whole) >= 400


def test_the_next_run_after_a_kill_takes_the_name(scene, tmp_path):
    (tmp_path / "o.partial.mp4").write_bytes(b"left behind")
    process = start(*replay(scene, "--output", "o.mp4"), cwd=tmp_path)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert len(read_back(tmp_path / "o.mp4")) == 30
    assert (tmp_path / "o.partial.mp4").read_bytes() == b"left behind"


def test_a_disk_that_fills_up_is_5_and_the_old_result_stays(long_scene, tmp_path):
    (tmp_path / "o.mp4").write_bytes(b"the last good one")
    limit = 20_000
    process = subprocess.run(
        [sys.executable, str(ROOT / "cli.py"), *replay(long_scene, "--output", "o.mp4")],
        cwd=tmp_path, env=environment(PYTHONDONTWRITEBYTECODE=1), text=True, capture_output=True,
        timeout=120, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )  # fmt: skip
    assert process.returncode == 5, process.stderr
    assert "error: Cannot write 'o.mp4': File too large." in process.stderr
    assert "Traceback" not in process.stderr
    assert (tmp_path / "o.mp4").read_bytes() == b"the last good one"
    assert frames_that_play(tmp_path / "o.partial.mp4") > 10


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_files_are_finished_spoils_none(scene, track, monkeypatch, number, code):
    def interrupted(path, stats):
        os.kill(os.getpid(), number)
        write_stats(path, stats)

    monkeypatch.setattr("mot_dinov3.runs.jobs.ending.write_stats", interrupted)
    got, err = track(*replay(scene, "--no-video", "--stats-json", "s.json"))
    assert got == code, err
    assert json.loads(Path("s.json").read_text())["frames"] == 30
    assert not list(Path.cwd().glob("*.partial*"))
