"""Cameras in one process beside a process each: what is counted, and what is skipped."""

from __future__ import annotations

import os
import urllib.request
from dataclasses import replace
from pathlib import Path

import av
import pytest

from helpers.clips import Clip, make_clip
from mot_dinov3.config import (
    DetectorConfig,
    DeviceConfig,
    EmbedderConfig,
    SourceConfig,
    TrackConfig,
)
from mot_dinov3.lab.benchmarks import cameras
from mot_dinov3.lab.benchmarks.cameras import (
    Case,
    Run,
    create_cases,
    remux,
    run_cameras,
    serve_stream,
)
from mot_dinov3.lab.benchmarks.context import BenchmarkContext, BenchmarkSettings
from mot_dinov3.lab.benchmarks.program import ProgramError

FRAMES = 12
FREE = TrackConfig(
    detector=DetectorConfig("motion"),
    device=DeviceConfig(device="cpu"),
    embedder=EmbedderConfig("none"),
)


@pytest.fixture
def stream(tmp_path):
    with serve_stream(remux(make_clip(tmp_path / "clip.mp4", Clip(frames=FRAMES)))) as url:
        yield url


def test_a_clip_is_sent_whole_to_every_caller(stream, tmp_path):
    for place in ("0", "1"):
        data = urllib.request.urlopen(f"{stream}/{place}", timeout=10).read()
        (tmp_path / "got.ts").write_bytes(data)
        with av.open(str(tmp_path / "got.ts")) as got:
            assert len(list(got.decode(video=0))) == FRAMES


def test_both_ways_track_all_cameras(stream, tmp_path):
    case = Case("two", FREE, 2)
    for workers in (0, 2):
        run = run_cameras(case, stream, tmp_path / "runs", workers)
        assert run.fps > 1
        assert run.cpu_s > 0.1
        assert run.mib > 20 or not Path("/proc/self/smaps_rollup").exists()
        assert len(list((tmp_path / "runs").glob("*.txt"))) == 2


def test_a_camera_that_fails_is_said(tmp_path):
    with pytest.raises(ProgramError, match="ended with code 3"):
        run_cameras(Case("two", FREE, 2), "http://127.0.0.1:9", tmp_path / "runs", 0)


def test_rounds_become_medians_and_ratios(monkeypatch, tmp_path):
    runs = iter([Run(99, 9, 1), Run(99, 9, 1), Run(30, 1, 50), Run(20, 2, 90), Run(45, 3, 60),
                 Run(30, 4, 80)])  # fmt: skip
    monkeypatch.setattr(cameras, "run_cameras", lambda *_: next(runs))
    case = Case("two", FREE, 2)
    for turn in range(3):
        cameras.run_both_ways(case, "", tmp_path, counts=turn > 0)
    assert case.figures() == {
        "one_process_fps": 37.5, "one_process_cpu_s": 2.0, "one_process_mib": 60,
        "processes_fps": 25.0, "processes_cpu_s": 3.0, "processes_mib": 90,
        "ratio": 1.5, "least": 1.5, "most": 1.5,
    }  # fmt: skip


def test_a_case_that_fails_is_left_out_and_says_why(monkeypatch, tmp_path):
    def fail_for_two(case, *_):
        if case.cameras == 2:
            raise ProgramError("it broke")
        return Run(30.0, 1.0, 50.0)

    monkeypatch.setattr(cameras, "run_cameras", fail_for_two)
    make_clip(tmp_path / "clip.mp4", Clip(frames=FRAMES))
    (tmp_path / "weights.pt").touch()
    config = replace(
        FREE,
        source=SourceConfig(str(tmp_path / "clip.mp4")),
        detector=DetectorConfig(str(tmp_path / "weights.pt")),
    )
    one, two, four = cameras.measure_cameras(
        BenchmarkContext(BenchmarkSettings(config, tmp_path))
    ).rows
    assert two.skipped == "it broke"
    assert one.figures["one_process_fps"] == four.figures["processes_fps"] == 30.0


def test_one_camera_needs_no_second_way(monkeypatch, tmp_path):
    runs = iter([Run(30.0, 1.0, 50.0)])
    monkeypatch.setattr(cameras, "run_cameras", lambda *_: next(runs))
    case = Case("one", FREE, 1)
    cameras.run_both_ways(case, "", tmp_path, counts=True)
    assert case.figures()["ratio"] == 1.0


def test_an_embedder_is_measured_where_one_is_chosen():
    assert [case.cameras for case in create_cases(FREE)] == [1, 2, 4]
    with_one = TrackConfig(embedder=EmbedderConfig("onnx", embed_model="x.onnx"))
    kinds = [case.config.embedder.embedder for case in create_cases(with_one)]
    assert kinds == ["none"] * 3 + ["onnx"] * 3


def test_without_clip_and_weights_it_says_what_it_needs(tmp_path):
    context = BenchmarkContext(BenchmarkSettings(FREE, tmp_path))
    (row,) = cameras.measure_cameras(context).rows
    assert "--det WEIGHTS" in row.skipped


def test_memory_is_that_of_a_session_alone():
    assert cameras.sum_memory(os.getsid(0)) > 0 or not Path("/proc/self/smaps_rollup").exists()
    assert cameras.sum_memory(2**30) == 0
