"""`--show`: what is sent to the window, what its end means, and where there can be none."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest

from helpers.fakes import blank_frame
from mot_dinov3.config import DrawConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.outputs.sinks import viewer, window
from mot_dinov3.outputs.sinks.window import Window
from mot_dinov3.values import Detections, FrameResult, Tracks

STAND_IN = """
import struct, sys
sys.stdout.write("ready\\n"); sys.stdout.flush()
seen = 0
while len(head := sys.stdin.buffer.read(8)) == 8:
    height, width = struct.unpack("<II", head)
    level = sys.stdin.buffer.read(height * width * 3)[0]
    open(sys.argv[1], "a").write(f"{height}x{width}:{level}\\n")
    seen += 1
    if seen == int(sys.argv[2]):
        break
"""


@pytest.fixture
def shown_in(monkeypatch, tmp_path):
    """A window that writes down what it is shown, and closes after so many pictures."""

    def make(stops, closes_after=0):
        program = (sys.executable, "-c", STAND_IN, str(tmp_path / "seen"), str(closes_after))
        monkeypatch.setattr(window, "VIEWER", program)
        return Window(DrawConfig(), lambda: stops.append(1)), tmp_path / "seen"

    return make


def written(shown, index, level=0):
    frame = blank_frame(index, width=64, height=48)
    frame.image[:] = level
    shown.write(frame, FrameResult(index, frame.time_s, Detections.empty(), Tracks.empty()))


def lines_of(path, count, within_s=10.0):
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if path.exists() and len(lines := path.read_text().split()) >= count:
            return lines
        time.sleep(0.01)
    raise AssertionError("not so many pictures came")


def test_the_newest_frame_is_shown_and_not_more_often_than_a_screen_shows(shown_in):
    stops = []
    shown, seen = shown_in(stops)
    with shown:
        began = time.monotonic()
        for index in range(200):
            written(shown, index, level=index)
            time.sleep(0.002)
        took_s = time.monotonic() - began
        written(shown, 200, level=250)
        while lines_of(seen, 1)[-1] != "48x64:250":
            time.sleep(0.01)
        assert len(lines_of(seen, 1)) <= took_s * 30 + 3
    assert not stops


def test_a_window_that_is_closed_asks_for_the_end_also_while_no_frame_comes(shown_in):
    stops = []
    shown, seen = shown_in(stops, closes_after=1)
    with shown:
        written(shown, 0)
        lines_of(seen, 1)
        until = time.monotonic() + 5
        while not stops and time.monotonic() < until:
            time.sleep(0.02)
        assert stops == [1]
        written(shown, 1)


def test_the_end_of_the_run_closes_the_window(shown_in):
    shown, _ = shown_in([])
    with shown:
        pass
    assert shown._viewer.poll() is not None


def test_a_viewer_that_takes_nothing_holds_nobody_up(monkeypatch):
    stuck = (sys.executable, "-c", "print('ready', flush=True); import time; time.sleep(60)")
    monkeypatch.setattr(window, "VIEWER", stuck)
    monkeypatch.setattr(window, "LEAVING_S", 0.2)
    began = time.monotonic()
    with Window(DrawConfig(), print) as shown:
        for index in range(100):
            frame = blank_frame(index)
            shown.write(frame, FrameResult(index, 0.0, Detections.empty(), Tracks.empty()))
            time.sleep(0.002)
    assert time.monotonic() - began < 3


def test_without_a_display_there_is_one_sentence(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UsageError, match="--show needs") as caught:
        Window(DrawConfig(), print)
    assert caught.value.exit_code == 2
    assert "--serve" in caught.value.fix or "opencv-python" in caught.value.fix


def test_an_opencv_without_windows_is_told_apart(monkeypatch):
    broken = "import sys; sys.exit('error: (-2) The function is not implemented. Rebuild')"
    monkeypatch.setattr(window, "VIEWER", (sys.executable, "-c", broken))
    with pytest.raises(UsageError, match="built without them") as caught:
        Window(DrawConfig(), print)
    assert "Install opencv-python" in caught.value.fix


def test_a_display_that_hangs_is_given_up(monkeypatch):
    monkeypatch.setattr(window, "VIEWER", (sys.executable, "-c", "import time; time.sleep(60)"))
    monkeypatch.setattr(window, "OPENING_S", 0.3)
    with pytest.raises(UsageError, match="--show needs a display"):
        Window(DrawConfig(), print)


class Screen:
    """What `cv2` would do with windows, inside the viewer."""

    WINDOW_NORMAL = WINDOW_KEEPRATIO = WINDOW_GUI_NORMAL = WND_PROP_VISIBLE = 0

    def __init__(self, key=-1, visible=1.0):
        self.shown, self.key, self.visible = [], key, visible

    def imshow(self, title, picture):
        self.shown.append(picture)

    def waitKey(self, ms):
        time.sleep(0.001)
        return self.key if self.shown else -1

    def getWindowProperty(self, title, name):
        return self.visible

    def namedWindow(self, *_):
        pass

    resizeWindow = namedWindow


class Pipe:
    def __init__(self, data=b""):
        self.buffer = io.BytesIO(data)


def picture_bytes(*levels):
    out = b""
    for level in levels:
        out += viewer.HEAD.pack(4, 6) + bytes([level]) * 72
    return out


@pytest.fixture
def viewed(monkeypatch):
    def run(data, **screen):
        fake, out = Screen(**screen), Pipe()
        monkeypatch.setattr(viewer, "cv2", fake)
        monkeypatch.setattr(viewer.sys, "stdin", Pipe(data))
        monkeypatch.setattr(viewer.sys, "stdout", out)
        monkeypatch.setattr(viewer.signal, "signal", lambda *_: None)
        return viewer.main(), fake, out.buffer.getvalue()

    return run


def test_the_viewer_says_when_it_is_there_and_ends_with_its_pictures(viewed):
    code, _, said = viewed(b"")
    assert (code, said) == (0, b"ready\n")
    code, _, _ = viewed(picture_bytes(7)[:-5])
    assert code == 0, "a picture that is cut short is none"


@pytest.mark.parametrize("how", [{"key": ord("q")}, {"key": 27}, {"visible": 0.0}])
def test_the_viewer_ends_when_somebody_has_seen_enough(monkeypatch, how):
    fake = Screen(**how)
    monkeypatch.setattr(viewer, "cv2", fake)
    monkeypatch.setattr(viewer.sys, "stdout", Pipe())
    monkeypatch.setattr(viewer.signal, "signal", lambda *_: None)
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as pipe, os.fdopen(writing, "wb") as end:
        monkeypatch.setattr(viewer.sys, "stdin", type("In", (), {"buffer": pipe}))
        end.write(picture_bytes(9))
        end.flush()
        assert viewer.main() == 0
        assert np.array_equal(fake.shown[0], np.full((4, 6, 3), 9, np.uint8))
        end.close()
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("Xvfb") is None, reason="Xvfb is not installed")
def test_a_real_window_on_a_screen_that_nobody_sees(monkeypatch):
    reading, writing = os.pipe()
    with subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "640x480x24"],
        pass_fds=[writing], stderr=subprocess.DEVNULL,
    ) as server:  # fmt: skip
        os.close(writing)
        with os.fdopen(reading) as told:
            monkeypatch.setenv("DISPLAY", f":{told.readline().strip()}")
        try:
            stops = []
            with Window(DrawConfig(), lambda: stops.append(1)) as shown:
                for index in range(10):
                    written(shown, index)
                    time.sleep(0.05)
                assert shown._viewer.poll() is None
                assert not stops
                shown._viewer.terminate()
                until = time.monotonic() + 5
                while not stops and time.monotonic() < until:
                    time.sleep(0.02)
                assert stops
        finally:
            server.terminate()
