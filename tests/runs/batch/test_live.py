"""Which sources are tracked at the same time, and what is refused then."""

from __future__ import annotations

import pytest

from mot_dinov3.config import BatchConfig, LiveConfig, ResumeConfig, SourceConfig, TrackConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.io.read.sources import is_live
from mot_dinov3.runs.batch.factory import pool_kind
from mot_dinov3.runs.batch.tasks import create_tasks

CAMERAS = ("rtsp://door/1", "udp://0.0.0.0:9000")


def config_of(*sources, live=None, resume=None, **batch):
    return TrackConfig(
        source=SourceConfig(sources[0]),
        batch=BatchConfig(sources=sources, **batch),
        live=live or LiveConfig(),
        resume=resume or ResumeConfig(),
    )


def kind_of(*sources, **more):
    config = config_of(*sources, **more)
    return pool_kind(config, create_tasks(config))


@pytest.mark.parametrize(
    ("source", "live"),
    [
        ("rtsp://door/1", True),
        ("http://door/video", True),
        ("http://door/live.ts", True),
        ("https://door/live.m3u8?key=1", True),
        ("rtsp://[fe80/1", True),
        ("77", True),
        ("/dev/video3", True),
        ("http://shop/clip.mp4", False),
        ("https://shop/clip.MKV?key=1", False),
        ("clip.mp4", False),
        ("mot:directory", False),
        ("synthetic:street", False),
    ],
)
def test_a_name_tells_a_camera_from_a_file(source, live):
    assert is_live(source) == live


def test_several_live_sources_are_cameras():
    assert kind_of(*CAMERAS) == "cameras"
    assert kind_of(*CAMERAS, "77", live=LiveConfig(serve="127.0.0.1:0")) == "cameras"
    assert kind_of("a.mp4", "b.mp4") == "serial"
    assert kind_of("http://shop/a.mp4", "http://shop/b.mp4") == "serial"


def test_a_list_of_cameras_is_read(tmp_path):
    (tmp_path / "cameras.txt").write_text("rtsp://a/1\nrtsp://b/1\n")
    config = config_of(str(tmp_path / "cameras.txt"))
    tasks = create_tasks(config)
    assert [task.name for task in tasks] == ["a-1", "b-1"]
    assert pool_kind(config, tasks) == "cameras"


def test_one_live_source_alone_may_be_in_a_batch():
    assert kind_of("rtsp://door/1", batch_json="all.json") == "serial"


def test_workers_and_ray_have_processes_for_them():
    assert kind_of(*CAMERAS, workers=2) == "workers"
    assert kind_of(*CAMERAS, "clip.mp4", workers=3) == "workers"
    assert kind_of(*CAMERAS, ray="local") == "ray"


def test_too_few_workers_would_leave_one_waiting_for_ever():
    with pytest.raises(UsageError, match="--workers 1 is too few for 2 sources") as raised:
        create_tasks(config_of(*CAMERAS, workers=1))
    assert "--workers 2" in raised.value.fix


def test_files_are_not_mixed_with_cameras():
    with pytest.raises(UsageError, match="2 live sources and 1 file") as raised:
        create_tasks(config_of(*CAMERAS, "clip.mp4"))
    assert "two commands" in raised.value.fix


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"live": LiveConfig(show=True)}, "--show"),
        ({"resume": ResumeConfig(resume=True)}, "--resume"),
    ],
)
def test_what_cannot_be_with_several_cameras_is_refused(more, said):
    with pytest.raises(UsageError, match=said):
        create_tasks(config_of(*CAMERAS, **more))


def test_a_page_of_a_batch_of_files_is_refused_as_ever():
    with pytest.raises(UsageError, match="--serve"):
        create_tasks(config_of("a.mp4", "b.mp4", live=LiveConfig(serve="127.0.0.1:0")))
