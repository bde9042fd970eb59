"""Streams that are refused, silent, cut, or something else."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

from mot_dinov3.errors import EXIT_INPUT, EXIT_USAGE
from mot_dinov3.lab.selftest.fault_cases.base import Fault, Prepare, set_variables
from mot_dinov3.lab.selftest.fault_cases.input import GARBAGE, MOTION
from mot_dinov3.lab.selftest.program import ProcessSetup
from mot_dinov3.lab.selftest.scenes import SelftestScene

QUICK = f"{MOTION} --no-video --read-timeout 1"


def run_server(answer: Callable[[socket.socket, Event], None]) -> Prepare:
    """Run a server on the loopback address; the variable `MOT_SOURCE` names it."""

    @contextmanager
    def prepare(directory: Path, scene: SelftestScene) -> Iterator[ProcessSetup]:
        over = Event()
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            Thread(target=serve, args=(server, answer, over), daemon=True).start()
            try:
                yield ProcessSetup({"MOT_SOURCE": f"http://127.0.0.1:{port}/live.ts"})
            finally:
                over.set()

    return prepare


def serve(
    server: socket.socket, answer: Callable[[socket.socket, Event], None], over: Event
) -> None:
    """Answer every caller in the same way until it is over."""
    with suppress(OSError):
        while not over.is_set():
            caller, _ = server.accept()
            with suppress(OSError), caller:
                answer(caller, over)


@contextmanager
def occupy_port(directory: Path, scene: SelftestScene) -> Iterator[ProcessSetup]:
    """Give `--serve` a port at which another program listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield ProcessSetup({"MOT_SERVE": f"127.0.0.1:{server.getsockname()[1]}"})


def stay_silent(caller: socket.socket, over: Event) -> None:
    """Take the call and say nothing."""
    over.wait(60)


def send_page(status: str, kind: str, body: bytes) -> Callable[[socket.socket, Event], None]:
    """Send one page and hang up."""

    def answer(caller: socket.socket, over: Event) -> None:
        caller.recv(4096)
        head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n"
        caller.sendall(head.encode() + body)

    return answer


def hang_up(caller: socket.socket, over: Event) -> None:
    """End the call at once."""


def stream_fault(name: str, says: str, answer: Callable[[socket.socket, Event], None]) -> Fault:
    """A server that answers in a way of its own."""
    return Fault(name, QUICK, EXIT_INPUT, says, run_server(answer))


PAGE = b"<!doctype html><title>Camera</title><p>Log in first."
OPENED = "cannot be opened"

FAULTS = (
    Fault("stream-refused", f"--source rtsp://127.0.0.1:1/live {QUICK}", EXIT_INPUT, OPENED),
    Fault("stream-http-refused", f"--source http://127.0.0.1:1/x.ts {QUICK}", EXIT_INPUT, OPENED),
    Fault(
        "stream-host-unknown",
        f"--source rtsp://no-such-host.invalid/live {QUICK}",
        EXIT_INPUT,
        OPENED,
    ),
    Fault("stream-address-empty", f"--source rtsp:// {QUICK}", EXIT_INPUT, OPENED),
    Fault(
        "stream-kind-unknown",
        f"--source gopher://127.0.0.1/live {QUICK}",
        EXIT_INPUT,
        "(?s)gopher://.*Use one of: .*rtsp",
    ),
    Fault("stream-port-wrong", f"--source http://127.0.0.1:99999/live {QUICK}", EXIT_INPUT, OPENED),
    stream_fault("stream-silent", OPENED, stay_silent),
    stream_fault("stream-hangs-up", OPENED, hang_up),
    stream_fault("stream-not-found", OPENED, send_page("404 Not Found", "text/html", PAGE)),
    stream_fault("stream-forbidden", OPENED, send_page("401 Unauthorized", "text/html", PAGE)),
    stream_fault("stream-is-a-page", OPENED, send_page("200 OK", "text/html", PAGE)),
    stream_fault("stream-is-garbage", OPENED, send_page("200 OK", "video/mp2t", GARBAGE)),
    Fault("read-timeout-wrong", "{track} --read-timeout 0", EXIT_USAGE, "--read-timeout must"),
    Fault(
        "serve-port-taken",
        "{track} --no-video",
        EXIT_USAGE,
        "(?s)--serve cannot listen.*port",
        occupy_port,
    ),
    Fault(
        "serve-host-foreign",
        "{track} --no-video --serve 203.0.113.9:80",
        EXIT_USAGE,
        "--serve cannot listen",
    ),
    Fault(
        "show-without-display",
        "{track} --no-video --show",
        EXIT_USAGE,
        "--show needs a display",
        set_variables({"DISPLAY": "", "WAYLAND_DISPLAY": ""}),
    ),
    Fault("serve-address-wrong", "{track} --serve nowhere:port", EXIT_USAGE, "--serve must"),
    Fault("reconnect-wrong", "{track} --reconnect -2", EXIT_USAGE, "--reconnect must"),
)
