"""Real servers on the loopback: ffmpeg is killed, frozen, and comes back in another size."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from mot_dinov3.config import LiveConfig, SourceConfig
from mot_dinov3.errors import InputError
from mot_dinov3.io import containers
from mot_dinov3.io.read.sources import open_source

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed"),
]
FPS = 25
SLOW_FPS = 10
"""libav takes pictures without times for 25 a second."""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def is_listening(port):
    """Whether somebody waits for a connection, without being the one who connects."""
    table = Path("/proc/net/tcp")
    if not table.exists():
        time.sleep(1.0)
        return True
    rows = [line.split() for line in table.read_text().splitlines()[1:]]
    return any(row[1].endswith(f":{port:04X}") and row[3] == "0A" for row in rows)


class Server:
    """An ffmpeg that sends a test picture live, to whoever connects first."""

    def __init__(self, kind):
        self.kind, self.port = kind, free_port()
        self.process = None

    @property
    def url(self):
        scheme = {"mjpeg": "http"}.get(self.kind, self.kind)
        return f"{scheme}://127.0.0.1:{self.port}" + ("/cam" if scheme == "http" else "")

    def start(self, size="160x120"):
        rate = SLOW_FPS if self.kind == "mjpeg" else FPS
        source = f"testsrc2=size={size}:rate={rate}"
        h264 = "-c:v libx264 -preset ultrafast -tune zerolatency -g 10 -pix_fmt yuv420p -f mpegts"
        ways = {
            "tcp": f"{h264} {self.url}?listen=1",
            "udp": f"{h264} {self.url}?pkt_size=1316",
            "http": f"{h264} -listen 1 {self.url}",
            "mjpeg": f"-c:v mjpeg -f mpjpeg -listen 1 {self.url}",
        }
        words = f"ffmpeg -v error -nostdin -re -f lavfi -i {source} {ways[self.kind]}"
        self.process = subprocess.Popen(words.split(), stderr=subprocess.DEVNULL)
        until = time.monotonic() + 15
        while self.kind != "udp" and not is_listening(self.port) and time.monotonic() < until:
            time.sleep(0.02)

    def kill(self):
        self.process.kill()
        self.process.wait()


@contextmanager
def served(kind):
    server = Server(kind)
    server.start()
    try:
        yield server
    finally:
        server.kill()


def open_live(server, stopped=None, **live):
    config = LiveConfig(**{"read_timeout": 1.0, "reconnect": 8, **live})
    return open_source(SourceConfig(server.url), config, stopped)


def take(frames, count):
    return [next(frames) for _ in range(count)]


def steps(frames):
    return [b.time_s - a.time_s for a, b in pairwise(frames)]


@pytest.mark.parametrize("kind", ["tcp", "udp", "http", "mjpeg"])
def test_a_server_that_is_killed_and_comes_back_in_another_size(kind):
    with served(kind) as server, open_live(server) as reader:
        assert reader.info.is_live
        frames = iter(reader)
        before, last_s = take(frames, 20), time.monotonic()
        server.kill()
        time.sleep(1.5 if kind == "udp" else 0)  # where nobody says that it is gone
        server.start("120x160")
        after = take(frames, 20)
        took_s = time.monotonic() - last_s
    assert {frame.image.shape for frame in before + after} == {(120, 160, 3)}
    assert reader.faults["gaps"] == reader.faults["reconnects"] == 1
    assert reader.faults["size_changes"] == 1
    assert not reader.partial
    passed_s = after[-1].time_s - before[-1].time_s
    assert passed_s == pytest.approx(took_s, abs=1.0), "the gap lasted as long as it really did"
    assert max(steps(before + after)) > 0.3
    indices = [frame.index for frame in before + after]
    assert indices == sorted(set(indices))


def test_a_server_that_is_replaced_before_anybody_misses_it():
    with served("udp") as server, open_live(server, read_timeout=8.0) as reader:
        frames = iter(reader)
        before, last_s = take(frames, 20), time.monotonic()
        server.kill()
        time.sleep(2.0)
        server.start("120x160")
        after = take(frames, 20)
        took_s = time.monotonic() - last_s
    assert after[-1].time_s - before[-1].time_s == pytest.approx(took_s, abs=1.2)
    assert reader.faults["size_changes"] == 1
    assert not reader.faults["gaps"]


@pytest.mark.parametrize("kind", ["tcp", "udp"])
def test_a_server_that_is_frozen_has_dropped_out(kind):
    with served(kind) as server, open_live(server, reconnect=0) as reader:
        frames = iter(reader)
        take(frames, 10)
        server.process.send_signal(signal.SIGSTOP)
        frozen_s = time.monotonic()
        rest = list(frames)
        assert 0.9 < time.monotonic() - frozen_s < 4
        server.process.send_signal(signal.SIGCONT)
    assert len(rest) < FPS
    assert reader.partial


def test_a_server_that_thaws_is_found_again():
    with served("udp") as server, open_live(server) as reader:
        frames = iter(reader)
        before, frozen_s = take(frames, 10), time.monotonic()
        server.process.send_signal(signal.SIGSTOP)
        time.sleep(2.5)
        server.process.send_signal(signal.SIGCONT)
        after = take(frames, 20)
        passed_s = time.monotonic() - frozen_s
    assert after[-1].time_s - before[-1].time_s == pytest.approx(passed_s, abs=1.0)
    assert reader.faults["reconnects"] >= 1
    assert not reader.partial


def test_a_wish_to_stop_is_heard_while_a_server_is_frozen():
    wishes = []
    with served("tcp") as server:
        with open_live(server, lambda: bool(wishes), read_timeout=60.0) as reader:
            frames = iter(reader)
            take(frames, 5)
            server.process.send_signal(signal.SIGSTOP)
            started = time.monotonic()
            take(frames, 0)
            wishes.append(1)
            assert len(list(frames)) <= 3
        assert time.monotonic() - started < 3, "the read hangs on in a thread that nobody waits for"
        server.process.send_signal(signal.SIGCONT)


def test_a_picture_of_a_format_without_times_has_those_at_which_it_came():
    with served("mjpeg") as server, open_live(server, no_drop=True) as reader:
        frames = iter(reader)
        take(frames, 5)
        started, seen = time.monotonic(), take(frames, 20)
        passed_s = time.monotonic() - started
    assert seen[-1].time_s - seen[0].time_s == pytest.approx(passed_s, rel=0.3)


def test_who_is_slow_stays_with_the_newest_frame():
    with served("tcp") as server, open_live(server) as reader:
        frames = iter(reader)
        take(frames, 3)
        slow = []
        for _ in range(8):
            time.sleep(0.25)
            slow.append(next(frames))
    assert sum(steps(slow)) == pytest.approx(7 * 0.25, abs=0.4), "it keeps up with real time"
    assert reader.faults["dropped"] >= 8 * 4


def test_nobody_there_is_an_input_error_without_the_password():
    url = f"tcp://bob:hunter2@127.0.0.1:{free_port()}"
    with pytest.raises(InputError, match="refused") as caught:
        open_source(SourceConfig(url), LiveConfig(reconnect=5))
    assert "hunter2" not in f"{caught.value!r} {caught.value}"


def test_one_that_takes_the_call_and_says_nothing_gave_no_answer(monkeypatch):
    monkeypatch.setattr(containers, "OPEN_TIMEOUT_S", 0.4)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(InputError, match=r"cannot be opened: no answer within 0\.4 s\."):
            open_source(SourceConfig(url), LiveConfig())
