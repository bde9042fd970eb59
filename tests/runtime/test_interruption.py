"""A signal ends work that Python cannot interrupt: here the hashing of a password for hours."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from helpers.places import ROOT
from mot_dinov3.errors import EXIT_SIGINT, EXIT_SIGTERM
from mot_dinov3.runtime.interruption import CANCEL_S, END_LATER_S, LongWork, watch_signals
from mot_dinov3.runtime.signals import StopRequest

START = """
import hashlib, sys
from mot_dinov3.runtime import interruption
from mot_dinov3.runtime.interruption import LongWork, watch_signals
from mot_dinov3.runtime.signals import StopRequest
work = LongWork("model.onnx")
{before}
with watch_signals(), StopRequest().handle_signals():
    print("ready", flush=True)
    with work:
        hashlib.pbkdf2_hmac("sha256", b"a", b"b", 10**9)
"""


def end_by(number, before=""):
    process = subprocess.Popen(
        [sys.executable, "-c", START.format(before=before)],
        cwd=ROOT / "src",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.3)
    began = time.monotonic()
    process.send_signal(number)
    try:
        _, said = process.communicate(timeout=30)
    finally:
        process.kill()
    return process.returncode, said, time.monotonic() - began


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, EXIT_SIGINT), (signal.SIGTERM, EXIT_SIGTERM)]
)
def test_work_that_never_ends_takes_the_process_with_it(number, code):
    ended, said, seconds = end_by(number)
    assert ended == code
    assert "'model.onnx' does not answer" in said
    assert seconds < 6


def test_work_that_has_ended_before_gets_more_time():
    before = "with work: pass\ninterruption.END_LATER_S = 4.0"
    ended, _, seconds = end_by(signal.SIGINT, before)
    assert ended == EXIT_SIGINT
    assert seconds > 3
    assert END_LATER_S > 4


def test_work_that_can_be_cancelled_is_and_explains_itself():
    import threading

    over = threading.Event()
    work = LongWork("model.onnx", over.set)
    started = time.monotonic()
    with watch_signals(), StopRequest().handle_signals() as stop:
        signal.raise_signal(signal.SIGTERM)
        with work:
            signal.raise_signal(signal.SIGTERM)
            assert over.wait(10)
    assert time.monotonic() - started >= CANCEL_S
    assert stop.signal == work.signal == signal.SIGTERM
    error = work.explain()
    assert error.exit_code == EXIT_SIGTERM
    assert "did not answer" in error.what
    assert work.signal == 0


def test_work_that_ends_by_itself_is_left_alone():
    asked = []
    work = LongWork("model.onnx", lambda: asked.append(1))
    with watch_signals(), StopRequest().handle_signals():
        with work:
            signal.raise_signal(signal.SIGINT)
            time.sleep(0.5)
        with work:  # another call: the signal was for the one before
            time.sleep(CANCEL_S + 0.3)
    assert asked == []


def test_a_second_watch_and_one_in_another_thread_change_nothing():
    import threading

    with watch_signals(), watch_signals():
        pass
    before = signal.set_wakeup_fd(-1)
    assert before == -1

    def elsewhere():
        with watch_signals():
            seen.append(1)

    seen = []
    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert seen == [1]
