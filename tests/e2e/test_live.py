"""A live source from outside: exit codes, Ctrl-C while it is frozen, and what is kept."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import threading
import time

import pytest

from helpers.feeds import stream_bytes
from helpers.jobs import cli, records, start

FREE = ("--det", "motion", "--embedder", "none", "--no-video", "--save-jsonl", "out.jsonl")
LONG_S = 30


class Camera:
    """Sends a stream to the first who connects, paced, and then hangs or hangs up."""

    def __init__(self, data, *, hang):
        self.data, self.hang = data, hang
        self.over = threading.Event()
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        with self.server, contextlib.suppress(OSError):
            self.send(self.server.accept()[0])

    def send(self, line):
        self.server.close()
        with line, contextlib.suppress(OSError):
            for at in range(0, len(self.data), 2048):
                line.sendall(self.data[at : at + 2048])
                time.sleep(0.002)
            if self.hang:
                self.over.wait(LONG_S)

    def close(self):
        self.over.set()
        with contextlib.suppress(OSError):
            self.server.shutdown(socket.SHUT_RDWR)
        self.thread.join(LONG_S)


@pytest.fixture
def camera(tmp_path):
    made = []

    def make(*, hang):
        made.append(Camera(stream_bytes(tmp_path, frames=200, size=(160, 120)), hang=hang))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.mark.parametrize(
    ("more", "hang", "code"),
    [
        ((), False, 0),
        (("--reconnect", "1"), False, 4),
        (("--read-timeout", "1"), True, 4),
    ],
)
def test_how_a_live_run_ends(tmp_path, camera, more, hang, code):
    place = tmp_path / "run"
    place.mkdir()
    source = camera(hang=hang)
    url = f"tcp://127.0.0.1:{source.port}"
    words = ("--source", url, *FREE, "--no-drop", "--stats-json", "s.json", *more)
    got, _, err = cli(*words, cwd=place)
    assert got == code, err
    lines = records(place / "out.jsonl")
    assert len(lines) > 150, "all that came before is kept"
    assert json.loads((place / "s.json").read_text())["frames"] == len(lines)
    if code == 4:
        assert "was lost and did not come back" in err


def test_ctrl_c_is_heard_while_a_camera_is_frozen(tmp_path, camera):
    place = tmp_path / "run"
    place.mkdir()
    source = camera(hang=True)
    process = start("--source", f"tcp://127.0.0.1:{source.port}", *FREE, "--read-timeout", "60",
                    cwd=place)  # fmt: skip
    partial = place / "out.partial.jsonl"
    until, size = time.monotonic() + LONG_S, -1
    while time.monotonic() < until:  # it has begun, and nothing comes any more
        time.sleep(0.5)
        before, size = size, partial.stat().st_size if partial.exists() else 0
        if size and size == before:
            break
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=LONG_S)
    assert process.returncode == 130, err
    assert time.monotonic() - began < 8
    assert len(records(place / "out.jsonl")) > 0


def test_a_source_that_never_answers_is_an_input_error(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
    code, _, err = cli("--source", f"tcp://127.0.0.1:{port}", *FREE, "--reconnect", "9",
                       cwd=tmp_path)  # fmt: skip
    assert code == 3
    assert len([line for line in err.splitlines() if line.startswith("error:")]) == 1


def test_no_secret_of_an_address_is_said_or_written(tmp_path, camera):
    place = tmp_path / "run"
    place.mkdir()
    source = camera(hang=False)
    url = f"tcp://admin:pa55word@127.0.0.1:{source.port}?token=t0ps3cret"
    outputs = ("--save-mot", "a.txt", "--save-csv", "a.csv", "--stats-json", "a.json")
    code, out, err = cli("--source", url, *FREE, *outputs, "-v", "--debug", cwd=place)
    assert code == 0, err
    files = [path.read_text(errors="replace") for path in place.rglob("*") if path.is_file()]
    assert len(files) >= 4
    everything = "\n".join([out, err, *files])
    assert "127.0.0.1" in everything
    assert "pa55word" not in everything
    assert "t0ps3cret" not in everything
