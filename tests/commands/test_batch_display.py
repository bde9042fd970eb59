"""The lines of a batch of cameras: counters, summaries, and the address of the page."""

from __future__ import annotations

import logging

import pytest

from mot_dinov3.commands import set_up_log
from mot_dinov3.commands.batch_display import CameraDisplay, describe_camera
from mot_dinov3.config import SourceConfig, TrackConfig
from mot_dinov3.runs.batch.base import (
    CameraState,
    CameraSummary,
    PageOpened,
    TaskOutcome,
    TaskStarted,
)
from mot_dinov3.runs.batch.tasks import Task
from mot_dinov3.values.run_facts import RunFacts

SECRET = "http://127.0.0.1:1/s3cret/"


def state(name, **more):
    values = {"frames": 120, "fps": 14.94, "tracks": 5, "computed": 2, "embed_ms": 3.2,
              "budget_ms": 10.0, "backlog": 1, "dropped": 0, "condition": "connected"}  # fmt: skip
    return CameraState(name=name, **(values | more))


def test_the_counters_of_a_camera():
    line = "frame 120, 14.9 FPS, trk 5 emb 2 budget 3/10ms backlog 1"
    assert describe_camera(state("door")) == line
    lost = "lost (it ended), try 1 of 2 to connect again"
    said = describe_camera(state("door", budget_ms=0.0, dropped=12, condition=lost))
    assert said == f"frame 120, 14.9 FPS, trk 5 emb 2 budget - backlog 1, 12 dropped, {lost}"


@pytest.fixture
def display():
    made = CameraDisplay(2, quiet=False)
    for number, name in enumerate(("door", "yard"), 1):
        task = Task(number, name, "", TrackConfig(source=SourceConfig(f"rtsp://u:pw@{name}/1")))
        made(TaskStarted(task, 1))
    return made


def test_every_five_seconds_each_camera_has_a_line(display, capsys, monkeypatch):
    now_s = [1e6]
    monkeypatch.setattr("mot_dinov3.commands.batch_display.perf_counter", lambda: now_s[0])
    display._printed_s = now_s[0]
    capsys.readouterr()
    for _ in range(21):
        now_s[0] += 0.5
        for name in ("door", "yard"):
            display(state(name))
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["[1/2] door", "[2/2] yard"] * 2
    display(TaskOutcome("yard", "rtsp://yard/1", 3, "It broke.", "Mend it."))
    capsys.readouterr()
    now_s[0] += 6
    display(state("door"))
    assert capsys.readouterr().err.startswith("[1/2] door: frame 120")


def test_a_summary_has_its_name_above(display, capsys):
    display(CameraSummary("yard", RunFacts(frames=7)))
    name, first = capsys.readouterr().err.splitlines()[:2]
    assert name == "[2/2] yard:"
    assert first.startswith("7 frames")


def test_the_address_of_the_page_is_said_even_if_quiet(capsys):
    with CameraDisplay(2, quiet=True) as quiet:
        quiet(PageOpened(SECRET))
        quiet(state("door"))
    assert capsys.readouterr().err == f"watch them at {SECRET}\n"


def test_on_a_terminal_each_camera_keeps_its_line(display, capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with CameraDisplay(2, quiet=False) as shown:
        shown._tasks = display._tasks
        capsys.readouterr()
        for name in ("yard", "door", "yard"):
            shown(state(name))
        assert {name: bar.pos for name, bar in shown._bars.items()} == {"door": 0, "yard": -1}
    assert "[2/2] yard: frame 120" in capsys.readouterr().err


def test_log_lines_and_ends_are_printed_above_the_counters(display, capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    set_up_log(verbose=False, debug=False)
    log = logging.getLogger("mot_dinov3")
    before = log.handlers
    with CameraDisplay(2, quiet=False) as shown:
        shown._tasks = display._tasks
        shown(state("door"))
        log.warning("it dropped out")
        shown(TaskOutcome("door", "rtsp://door/1", 4, "lost", frames=3))
        said = capsys.readouterr().err
    assert said.count("it dropped out") == 1
    for line in ("warning: it dropped out", "error: [1/2] door: lost"):
        assert f"\r{line}\n" in said, "the counters were cleared before it"
    assert "[1/2] door: ended" in said
    assert log.handlers is before
