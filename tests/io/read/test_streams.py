"""Network streams, served from this machine to itself."""

from __future__ import annotations

import functools
import http.server
import socket
import threading
import time

import pytest

from helpers.clips import Clip, make_clip
from mot_dinov3.config import LiveConfig, SourceConfig
from mot_dinov3.errors import InputError
from mot_dinov3.io import containers
from mot_dinov3.io.read.sources import open_source


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def served(tmp_path):
    """A directory and the address under which it is served."""
    directory = tmp_path / "served"
    directory.mkdir()
    handler = functools.partial(Quiet, directory=str(directory))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield directory, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_video_behind_an_address_is_read(served):
    directory, address = served
    make_clip(directory / "a.mkv", Clip(frames=20))
    with open_source(SourceConfig(source=f"{address}/a.mkv?token=s3cret")) as reader:
        frames = [(frame, time.sleep(0.01))[0] for frame in reader]
    assert len(frames) == 20, "a file is no live source: whoever is slow misses nothing"
    assert not reader.info.is_live
    assert reader.info.path is None
    assert reader.info.frame_count == 0
    assert reader.info.name == f"{address}/a.mkv?..."
    assert not reader.partial


def test_a_playlist_is_followed_over_the_network_but_never_to_local_files(served, tmp_path):
    directory, address = served
    make_clip(directory / "a.ts", Clip(frames=20))
    secret = make_clip(tmp_path / "secret.ts", Clip(frames=20))
    playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:0.8,\n{}\n#EXT-X-ENDLIST\n"
    (directory / "good.m3u8").write_text(playlist.format("a.ts"))
    (directory / "bad.m3u8").write_text(playlist.format(f"file://{secret}"))
    with open_source(SourceConfig(source=f"{address}/good.m3u8")) as reader:
        assert len(list(reader)) == 20
    with pytest.raises(InputError):
        open_source(SourceConfig(source=f"{address}/bad.m3u8"))


def test_a_page_that_is_not_there_and_one_that_is_no_video(served):
    directory, address = served
    (directory / "page.html").write_text("<html>hello</html>")
    for name in ("gone.mp4", "page.html"):
        with pytest.raises(InputError, match=f"{name}' cannot be opened") as caught:
            open_source(SourceConfig(source=f"{address}/{name}"))
        assert caught.value.fix


def test_a_host_that_never_answers_is_given_up(monkeypatch):
    monkeypatch.setattr(containers, "OPEN_TIMEOUT_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        with pytest.raises(InputError, match="cannot be opened"):
            open_source(SourceConfig(source=f"http://127.0.0.1:{silent.getsockname()[1]}/x.mp4"))
        assert time.monotonic() - started < 8


def test_a_stream_that_breaks_off_ends_as_partial(tmp_path):
    """The server promises the whole file, sends half and falls silent."""
    data = make_clip(tmp_path / "a.ts", Clip(frames=200, size=(160, 120))).read_bytes()

    def serve(server):
        connection, _ = server.accept()
        with connection:
            connection.recv(4096)
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(data)}\r\n\r\n"
            connection.sendall(head.encode() + data[: len(data) // 2])
            time.sleep(5)

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, args=(server,), daemon=True).start()
        address = f"http://127.0.0.1:{server.getsockname()[1]}/a.ts"
        live = LiveConfig(read_timeout=0.5, reconnect=3)
        with open_source(SourceConfig(source=address), live) as reader:
            frames = list(reader)
    assert 20 < len(frames) < 180
    assert [frame.index for frame in frames] == list(range(len(frames))), "a file drops nothing"
    assert reader.partial
    assert not reader.faults["reconnects"], "it would begin again at its beginning"


def test_a_file_address_is_a_path(tmp_path):
    path = make_clip(tmp_path / "a b.mp4")
    with open_source(SourceConfig(source=path.as_uri())) as reader:
        assert reader.info.path == path
        assert not reader.info.is_live
