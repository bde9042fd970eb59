"""Batches as a user runs them: lists, directories, bad videos, signals, dying processes."""

from __future__ import annotations

import json
import os
import signal
import time

import pytest

from helpers.batches import BAD, NAMES, make_clips
from helpers.clips import read_back
from helpers.jobs import TORCH_FREE, mot_rows, start

FRAMES = 30
LONG = 1500


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    return make_clips(tmp_path_factory.mktemp("clips"), FRAMES)


def words(clips, *more):
    return ["--det", f"mot:{clips}/{{name}}.txt", *TORCH_FREE, *more]


def test_every_video_has_its_own_outputs_and_a_line_in_the_table(clips, track, tmp_path):
    (tmp_path / "list.txt").write_text(f"# three\n{clips}/two.mp4\n\n{clips}/gone.mp4\n")
    (clips / "gone.txt").write_text("")
    code, err = track(
        *words(clips, "--save-mot", "mot/{name}.txt", "--stats-json", "s.json"),
        "--source", clips / "one.mp4", clips / f"{BAD}.mp4", "--source", "list.txt",
        "--batch-json", "all.json",
    )  # fmt: skip
    assert code == 4
    for name in ("one", "two"):
        assert len(read_back(tmp_path / "outputs" / name / "tracked.mp4")) == FRAMES
        assert len(mot_rows(tmp_path / "mot" / f"{name}.txt")) > FRAMES
        assert json.loads((tmp_path / name / "s.json").read_text())["frames"] == FRAMES
    assert not (tmp_path / "outputs" / BAD).exists()
    assert f"error: [2/4] bad: '{clips}/bad.mp4' is not a video" in err
    assert f"error: [4/4] gone: list.txt:4: '{clips}/gone.mp4' does not exist." in err
    table = err.splitlines()[-6:]
    assert table[0].startswith("source")
    assert [line.split()[5] for line in table[1:5]] == ["0", "3", "0", "3"]
    assert table[5].startswith("2 of 4 videos without a problem: 60 frames")
    assert [one["name"] for one in json.loads((tmp_path / "all.json").read_text())["videos"]] == [
        "one", "bad", "two", "gone",
    ]  # fmt: skip


def test_what_is_wrong_with_the_sources_is_told_before_anything(clips, track, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "list.txt").write_text("\n#\n")
    for source, more, says in (
        ("empty", ["--each"], "There is no video in 'empty'"),
        ("list.txt", [], "The list 'list.txt' names no video"),
        ("gone.txt", [], "Cannot read the list 'gone.txt'"),
        (str(clips), [], "Give --each to track every video in it"),
    ):
        code, err = track("--source", source, *more, *words(clips))
        assert code == 3
        assert says in err
    code, err = track("--source", "a.mp4", "b.mp4", "--det", "mot:x.txt", *TORCH_FREE)
    assert code == 2
    assert "belongs to one video" in err
    assert not (tmp_path / "outputs").exists()


def test_quiet_says_what_failed_and_nothing_else(clips, track):
    code, err = track(*words(clips, "--no-video", "-q"), "--source", clips, "--each")
    assert code == 4
    assert err.splitlines()[0].startswith("error: [1/4] bad: ")
    assert len(err.splitlines()) == 2


def test_a_name_is_filled_in_for_a_single_video_too(clips, track, tmp_path):
    source = clips / "one.mp4"
    code, _ = track("--source", source, *words(clips, "--no-video", "--save-mot", "{name}.txt"))
    assert code == 0
    assert (tmp_path / "one.txt").exists()


def test_settings_of_a_batch_print_and_run_again(clips, track, tmp_path, capsys):
    source = [clips / "one.mp4", clips / "two.mp4"]
    track("--source", *source, *words(clips, "--no-video", "--print-config"))
    track("--source", *source, *words(clips, "--no-video", "--save-mot", "a.txt"))
    printed = tmp_path / "run.toml"
    lines = [f'source = ["{source[0]}", "{source[1]}"]', f'det = "mot:{clips}/{{name}}.txt"',
             'device = "cpu"', 'embedder = "none"', "no_video = true"]  # fmt: skip
    printed.write_text("\n".join(lines))
    code, _ = track("--config", printed, "--save-mot", "b.txt")
    assert code == 0
    for name in ("one", "two"):
        own = tmp_path / name
        assert (own / "a.txt").read_bytes() == (own / "b.txt").read_bytes()


@pytest.fixture(scope="module")
def long_clips(tmp_path_factory):
    return make_clips(tmp_path_factory.mktemp("long"), LONG)


def begun(long_clips, cwd, *more):
    """A batch of three whose first two videos are being tracked by two processes."""
    sources = [long_clips / f"{name}.mp4" for name in NAMES]
    process = start("--source", *sources, *words(long_clips, "--save-jsonl", "{name}.jsonl"),
                    "--output", "{name}.mp4", *more, cwd=cwd)  # fmt: skip
    for _ in range(3000):
        sizes = [growing.stat().st_size for growing in cwd.glob("*.partial.jsonl")]
        if len(sizes) == 2 and min(sizes) > 20_000:
            return process
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.kill()
    raise AssertionError("the batch did not get going")


@pytest.mark.slow
@pytest.mark.parametrize("whole_group", [False, True])
def test_ctrl_c_finishes_what_runs_and_begins_nothing(long_clips, tmp_path, whole_group):
    """A terminal sends SIGINT to all processes, `kill` to one: both must end the same way."""
    process = begun(long_clips, tmp_path, "--workers", "2")
    if whole_group:
        for pid in children(process.pid):
            os.kill(pid, signal.SIGINT)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    rows = [line.split() for line in err.splitlines()[-4:-1]]
    assert [row[5] for row in rows] == ["130", "130", "-"]
    for name, row in zip(NAMES[:2], rows, strict=False):
        assert 0 < int(row[1]) < LONG
        assert len(read_back(tmp_path / f"{name}.mp4")) == int(row[1])
    assert not (tmp_path / "three.mp4").exists()
    assert not list(tmp_path.glob("*.partial*"))
    assert "Traceback" not in err


@pytest.mark.slow
def test_workers_of_a_killed_batch_finish_their_videos_and_go(long_clips, tmp_path):
    process = begun(long_clips, tmp_path, "--workers", "2")
    workers = children(process.pid)
    assert len(workers) >= 2
    process.kill()
    process.communicate(timeout=60)
    for _ in range(1000):
        if not any(alive(pid) for pid in workers):
            break
        time.sleep(0.02)
    assert not [pid for pid in workers if alive(pid)]
    for name in NAMES[:2]:
        assert 0 < len(read_back(tmp_path / f"{name}.mp4")) < LONG


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:  # noqa: PTH123 - no file on a disk
        return [int(word) for word in file.read().split()]


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123 - as above
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
