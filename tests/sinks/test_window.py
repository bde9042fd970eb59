from __future__ import annotations

import subprocess

import pytest

from fakes import FakeClock, blank_frame
from mot_dinov3.config import DrawConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.sinks import window
from mot_dinov3.sinks.window import Window, require_display
from mot_dinov3.structures import Detections, FrameResult, Tracks


class Screen:
    """What `cv2` would do with windows."""

    WINDOW_NORMAL = WINDOW_KEEPRATIO = WND_PROP_VISIBLE = 0

    def __init__(self):
        self.shown, self.key, self.visible, self.gone = [], -1, 1.0, []

    def imshow(self, title, picture):
        self.shown.append(picture.shape)

    def waitKey(self, ms):
        return self.key

    def getWindowProperty(self, title, name):
        return self.visible

    def destroyWindow(self, title):
        self.gone.append(title)

    def namedWindow(self, *_):
        pass

    resizeWindow = namedWindow


@pytest.fixture
def screen(monkeypatch):
    fake = Screen()
    monkeypatch.setattr(window, "cv2", fake)
    return fake


def a_window(stops, clock=None):
    return Window(DrawConfig(), {}, lambda: stops.append(1), clock or FakeClock())


def written(shown, index):
    frame = blank_frame(index)
    shown.write(frame, FrameResult(index, frame.time_s, Detections.empty(), Tracks.empty()))


def test_the_newest_frame_is_shown_and_not_more_often_than_a_screen_shows(screen):
    clock, stops = FakeClock(), []
    with a_window(stops, clock) as shown:
        shown.refresh()
        assert screen.shown == [], "nothing yet"
        for index in range(5):
            clock.now_s += 0.01
            written(shown, index)
            shown.refresh()
        clock.now_s += 0.1
        shown.refresh()
        assert len(screen.shown) == 2
        clock.now_s += 0.1
        shown.refresh()
        assert len(screen.shown) == 2, "the same frame is not drawn again"
    assert len(screen.gone) == 1
    assert not stops


@pytest.mark.parametrize(
    ("key", "asked"), [(ord("q"), True), (27, True), (ord("x"), False), (-1, False)]
)
def test_q_and_escape_ask_for_the_end(screen, key, asked):
    clock, stops = FakeClock(), []
    with a_window(stops, clock) as shown:
        written(shown, 0)
        shown.refresh()
        screen.key = key
        clock.now_s += 1
        shown.refresh()
    assert bool(stops) == asked


def test_closing_the_window_asks_for_the_end_while_no_frame_comes(screen):
    clock, stops = FakeClock(), []
    with a_window(stops, clock) as shown:
        written(shown, 0)
        shown.refresh()
        screen.visible, clock.now_s = 0.0, 1.0
        shown.refresh()
    assert stops


def test_a_run_without_a_frame_opens_no_window(screen):
    with a_window([]):
        pass
    assert not screen.gone


def test_without_a_display_there_is_one_sentence(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UsageError, match="--show needs") as caught:
        require_display()
    assert caught.value.exit_code == 2
    assert "--serve" in caught.value.fix or "opencv-python" in caught.value.fix


def test_an_opencv_without_windows_is_told_apart(monkeypatch):
    def built_headless(*_, **__):
        return subprocess.CompletedProcess([], 1, "", "error: The function is not implemented.")

    monkeypatch.setattr(window.subprocess, "run", built_headless)
    with pytest.raises(UsageError, match="built without them") as caught:
        require_display()
    assert "Install opencv-python" in caught.value.fix


def test_a_display_that_hangs_is_given_up(monkeypatch):
    def hang(*_, **__):
        raise subprocess.TimeoutExpired("probe", 1)

    monkeypatch.setattr(window.subprocess, "run", hang)
    with pytest.raises(UsageError, match="no display that answers"):
        require_display()


def test_the_picture_is_the_frame_s_size(screen):
    with a_window([]) as shown:
        written(shown, 0)
        shown.refresh()
    assert screen.shown == [(480, 640, 3)]
