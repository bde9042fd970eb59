"""Videos side by side in processes, some of which die."""

from __future__ import annotations

import os
import signal
from dataclasses import replace

import pytest

from helpers.batches import (
    BAD,
    NAMES,
    Killer,
    batch_of,
    make_clips,
    outcomes,
    results,
    without_video,
)
from helpers.clips import read_back
from helpers.jobs import mot_rows
from mot_dinov3.config import DeviceConfig, EmbedderConfig
from mot_dinov3.runs.batch import processes
from mot_dinov3.runs.batch.base import Progress, TaskOutcome, TaskStarted
from mot_dinov3.runs.batch.processes import (
    ProcessPool,
    assign_gpu,
    block_sigint,
    describe_death,
    limit_threads,
)
from mot_dinov3.runs.batch.serial import SerialPool
from mot_dinov3.runs.batch.tasks import Task

FRAMES = 1500


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    return make_clips(tmp_path_factory.mktemp("clips"), FRAMES)


@pytest.fixture(scope="module")
def serial(clips, tmp_path_factory):
    out = tmp_path_factory.mktemp("serial")
    config = without_video(batch_of(clips, (*NAMES, BAD), out))
    return outcomes(config, SerialPool()), results(out)


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def test_one_after_another_a_bad_video_is_a_line_of_its_own(serial):
    done, written = serial
    assert [one.exit_code for one in done.values()] == [0, 0, 0, 3]
    assert sorted(written) == sorted(NAMES)
    assert len(set(written.values())) == 3
    one = done["one"]
    assert (one.frames, one.tracks, one.crops) == (FRAMES, 2, 0)
    assert one.fps > 0
    assert len(one.written) == 1
    assert "bad.mp4' is not a video" in done[BAD].reason


def test_processes_write_the_same_bytes(clips, serial, tmp_path):
    config = without_video(batch_of(clips, (*NAMES, BAD), tmp_path, workers=2))
    watch = Killer("nobody", 0)
    done = outcomes(config, ProcessPool(2), watch)
    assert results(tmp_path) == serial[1]
    assert {name: (one.exit_code, one.reason, one.frames, one.tracks, one.crops)
            for name, one in done.items()} == {
        name: (one.exit_code, one.reason, one.frames, one.tracks, one.crops)
        for name, one in serial[0].items()
    }  # fmt: skip
    assert len({pid for pids in watch.pids.values() for pid in pids}) == 2
    assert os.getpid() not in {pid for pids in watch.pids.values() for pid in pids}


def test_a_killed_worker_loses_only_its_video_which_is_tried_again(clips, serial, tmp_path):
    killer = Killer("two", 1)
    config = without_video(batch_of(clips, NAMES, tmp_path, workers=2))
    done = outcomes(config, ProcessPool(2), killer)
    assert results(tmp_path) == serial[1]
    assert [one.exit_code for one in done.values()] == [0, 0, 0]
    assert done["two"].frames == FRAMES
    assert len(set(killer.pids["two"])) == 2
    assert killer.said == ["its worker died, by SIGKILL; it is tried again"]


def test_a_video_that_kills_two_workers_is_given_up(clips, serial, tmp_path):
    killer = Killer("one", 2)
    config = without_video(batch_of(clips, NAMES, tmp_path, workers=1))
    done = outcomes(config, ProcessPool(1), killer)
    assert [one.exit_code for one in done.values()] == [7, 0, 0]
    assert done["one"].reason == "Its worker died twice, by SIGKILL."
    assert "memory" in done["one"].fix
    left = {name: rows for name, rows in results(tmp_path).items() if "partial" not in name}
    assert left == {name: serial[1][name] for name in ("two", "three")}


def test_a_stop_ends_what_runs_in_order(clips, tmp_path):
    pool, events = ProcessPool(2), []

    def on_event(event):
        events.append(event)
        if isinstance(event, Progress) and event.name == "two" and event.frames == 1:
            signal.raise_signal(signal.SIGINT)

    handler = signal.getsignal(signal.SIGINT)
    done = outcomes(batch_of(clips, NAMES, tmp_path, workers=2), pool, on_event)
    assert signal.getsignal(signal.SIGINT) is handler
    assert done["two"].exit_code == 130
    assert 0 < done["two"].frames < FRAMES
    assert not done["three"].begun
    assert len(read_back(tmp_path / "two.mp4")) == done["two"].frames
    assert mot_rows(tmp_path / "two.mot")[:, 0].max() <= done["two"].frames
    assert not list(tmp_path.glob("*.partial*"))
    assert not [
        event for event in events if isinstance(event, TaskOutcome) and event.exit_code == 143
    ]


def test_a_worker_never_hears_sigint(clips, serial, tmp_path):
    """A terminal sends it to all at once; which videos end is for the batch to say."""

    def on_event(event):
        if isinstance(event, TaskStarted):
            os.kill(event.pid, signal.SIGINT)

    config = without_video(batch_of(clips, NAMES[:1], tmp_path, workers=1))
    assert outcomes(config, ProcessPool(1), on_event)["one"].exit_code == 0
    assert results(tmp_path)["one"] == serial[1]["one"]


def test_a_model_that_cannot_be_loaded_ends_the_batch(clips, tmp_path):
    config = batch_of(clips, NAMES, tmp_path, workers=1)
    config = replace(config, embedder=EmbedderConfig(embedder="onnx", embed_model="no.onnx"))
    for pool in (SerialPool(), ProcessPool(1)):
        done = outcomes(config, pool)
        assert [one.begun for one in done.values()] == [True, False, False]
        assert done["one"].common
        assert "no.onnx" in done["one"].reason


@pytest.mark.parametrize(
    ("code", "text"),
    [(-11, "by SIGSEGV"), (-9, "by SIGKILL"), (-99, "by signal 99"), (1, "code 1")],
)
def test_how_a_process_died(code, text):
    assert describe_death(code).endswith(text)


def test_threads_are_shared_unless_the_user_said(monkeypatch):
    with limit_threads(3):
        assert os.environ["OMP_NUM_THREADS"] == "1"
    monkeypatch.delenv("OMP_NUM_THREADS")
    with limit_threads(3):
        assert os.environ["OMP_NUM_THREADS"] == "3"
    assert "OMP_NUM_THREADS" not in os.environ


def test_only_what_starts_inside_is_deaf():
    with block_sigint():
        assert signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_cores_are_shared_equally(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    assert [ProcessPool(n).cores for n in (1, 3, 20)] == [8, 2, 1]
    assert ProcessPool(2, 5).cores == 5


@pytest.mark.parametrize(
    ("device", "place", "chosen"),
    [("auto", 0, "cuda:0"), ("cuda", 3, "cuda:1"), ("cuda:0", 1, "cuda:0"), ("cpu", 1, "cpu")],
)
def test_workers_take_turns_on_several_gpus(monkeypatch, tmp_path, device, place, chosen):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(processes, "may_have_gpu", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    config = replace(batch_of(tmp_path, NAMES, tmp_path), device=DeviceConfig(device=device))
    assert assign_gpu(Task(1, "one", "", config), place).config.device.device == chosen


def test_one_gpu_is_everybodys(monkeypatch, tmp_path):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(processes, "may_have_gpu", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    config = replace(batch_of(tmp_path, NAMES, tmp_path), device=DeviceConfig())
    task = Task(1, "one", "", config)
    assert assign_gpu(task, 1) is task
