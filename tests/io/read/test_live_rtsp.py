"""RTSP, as cameras speak it: credentials, a line that is cut, and one that never plays."""

from __future__ import annotations

import pytest

from helpers.feeds import stream_bytes
from helpers.rtsp_camera import RtspCamera
from mot_dinov3.config import LiveConfig, SourceConfig
from mot_dinov3.errors import InputError
from mot_dinov3.io.read import live
from mot_dinov3.io.read.sources import open_source


@pytest.fixture
def camera(tmp_path):
    made = RtspCamera(stream_bytes(tmp_path, frames=500, size=(320, 240)), seconds=10)
    yield made
    made.close()


def opened(camera, who="admin:pa55word@", **more):
    url = f"rtsp://{who}127.0.0.1:{camera.port}/live?channel=1"
    return open_source(SourceConfig(url), LiveConfig(**{"read_timeout": 10.0, **more}))


def test_a_camera_is_seen_and_found_again_when_its_line_is_cut(camera, monkeypatch):
    monkeypatch.setattr(live, "FIRST_WAIT_S", 0.1)
    with opened(camera, reconnect=3, no_drop=True) as reader:
        assert reader.info.is_live
        assert (reader.info.width, reader.info.height) == (320, 240)
        assert reader.info.name == f"rtsp://127.0.0.1:{camera.port}/live?..."
        frames = iter(reader)
        seen = [next(frames) for _ in range(20)]
        camera.hang_up()
        seen += [next(frames) for _ in range(20)]
    times = [frame.time_s for frame in seen]
    assert times == sorted(set(times))
    assert camera.plays == 2
    assert reader.faults["gaps"] == reader.faults["reconnects"] == 1
    assert not reader.partial


def test_a_wrong_password_is_told_without_it(camera):
    with pytest.raises(InputError, match=r"cannot be opened: .*401") as caught:
        opened(camera, "admin:hunter2@")
    shown = f"{caught.value} {caught.value!r} {caught.value.__cause__!r}"
    assert "hunter2" not in shown
    assert "credentials" in caught.value.fix
