"""Watching a job: what is refused before any work, and what is shown to whom."""

from __future__ import annotations

import json
import socket
import threading
import urllib.request

import pytest

from helpers.jobs import FRAMES, make_scene
from mot_dinov3.config import (
    DetectorConfig,
    DeviceConfig,
    EmbedderConfig,
    LiveConfig,
    OutputConfig,
    SourceConfig,
    TrackConfig,
)
from mot_dinov3.errors import UsageError
from mot_dinov3.runs.jobs.base import SilentObserver
from mot_dinov3.runs.jobs.job import run_job
from mot_dinov3.runs.jobs.views import Views
from mot_dinov3.runs.loop import StopRequest
from mot_dinov3.runtime.statistics import RunStatistics
from mot_dinov3.values import Detections, FrameResult, Tracks


def served(source="x", **live):
    return TrackConfig(source=SourceConfig(source), live=LiveConfig(**live))


def test_nothing_is_shown_unless_asked_for():
    with Views(served(), StopRequest()) as views:
        assert views.url == ""
        assert views.create_sinks(None, {}) == []
        assert views.add_callback(None) is None
        assert views.add_callback(print) is print


def test_a_taken_port_is_told_before_the_source_is_looked_at():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match="cannot listen"):
            run_job(served("no-such-file.mp4", serve=str(port)))


def test_a_source_that_fails_gives_the_port_back():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for _ in range(2):
        with pytest.raises(Exception, match="does not exist"):
            run_job(served("no-such-file.mp4", serve=str(port)))


def test_progress_and_page_are_both_told():
    calls = []
    with Views(served(serve="127.0.0.1:0"), StopRequest()) as views:
        on_frame = views.add_callback(lambda *_: calls.append(1))
        result = FrameResult(0, 0.0, Detections.empty(), Tracks.empty())
        statistics = RunStatistics()
        statistics.add(result, {}, 1.0)
        on_frame(result, statistics)
        assert calls == [1]


class Watcher(SilentObserver):
    """Opens the page in the middle of the job and ends it from there."""

    def __init__(self):
        self.urls = []

    def on_page(self, url):
        self.urls.append(url)

    def watch(self, total):
        watcher = self

        class Telling:
            def __enter__(self):
                return self

            def __exit__(self, *problem):
                pass

            def __call__(self, result, statistics):
                if statistics.frames == 5:
                    thread = threading.Thread(target=watcher.stop)
                    thread.start()
                    thread.join()

        return Telling()

    def stop(self):
        request = urllib.request.Request(f"{self.urls[0]}stop", data=b"", method="POST")
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 202


def test_a_job_that_is_ended_from_its_page_ends_well(tmp_path):
    make_scene(tmp_path)
    config = TrackConfig(
        source=SourceConfig(str(tmp_path / "clip.mp4")),
        detector=DetectorConfig(f"mot:{tmp_path / 'det.txt'}"),
        device=DeviceConfig(device="cpu"),
        embedder=EmbedderConfig("none"),
        output=OutputConfig(str(tmp_path / "out.mp4"), save_jsonl=str(tmp_path / "out.jsonl")),
        live=LiveConfig(serve="127.0.0.1:0"),
    )
    watcher = Watcher()
    done = run_job(config, observer=watcher)
    assert done.exit_code == 0
    assert 5 <= done.facts.frames < FRAMES
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == done.facts.frames
    assert (tmp_path / "out.mp4").stat().st_size > 0
    assert len(watcher.urls) == 1
    assert watcher.urls[0] not in str(done.facts)


def test_the_headline_of_the_page_is_the_name_of_the_file(tmp_path):
    from mot_dinov3.io.read.sources import open_source

    source = str(make_scene(tmp_path) / "clip.mp4")
    with (
        Views(served(source, serve="127.0.0.1:0"), StopRequest()) as views,
        open_source(SourceConfig(source)) as reader,
    ):
        (page,) = views.create_sinks(reader, {})
        with page, urllib.request.urlopen(views.url + "state", timeout=10) as answer:
            assert json.load(answer)["name"] == "clip.mp4"
