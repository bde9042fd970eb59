"""The thread of the models: rounds, work between them, errors where they belong, and its end."""

from __future__ import annotations

import threading

import pytest

from helpers.fakes import blank_frame
from mot_dinov3.errors import ModelError, MotError
from mot_dinov3.runs.cameras.model_thread import ModelThread
from mot_dinov3.systems.group import SystemGroup

LONG_S = 20


class SlowGroup(SystemGroup):
    """Waits in its first round until it is released; remembers who was in each round."""

    def __init__(self):
        self.rounds, self.begun, self.go = [], threading.Event(), threading.Event()

    def step(self, turns):
        if not turns:
            return []
        self.rounds.append([turn.system for turn in turns])
        self.begun.set()
        assert self.go.wait(LONG_S)
        return [self.answer(turn) for turn in turns]

    def answer(self, turn):
        return ModelError("It broke.", fix="") if turn.system == "broken" else turn.frame.index


class Caller(threading.Thread):
    """One camera that asks for one step."""

    def __init__(self, thread, name):
        super().__init__(daemon=True)
        self.models, self.system, self.result = thread, name, None
        self.start()

    def run(self):
        try:
            self.result = self.models.step(self.system, blank_frame(7))
        except BaseException as error:
            self.result = error

    def end(self):
        self.join(LONG_S)
        return self.result


@pytest.fixture
def group():
    return SlowGroup()


@pytest.fixture
def thread(group):
    with ModelThread() as made:
        made.use(group)
        yield made
        group.go.set()


def wait_for(thread, count):
    while len(thread._waiting) < count:
        pass


def test_frames_that_wait_make_the_next_round(thread, group):
    first = Caller(thread, "a")
    assert group.begun.wait(LONG_S)
    others = [Caller(thread, name) for name in "bc"]
    wait_for(thread, 2)
    group.go.set()
    assert [one.end() for one in (first, *others)] == [7, 7, 7]
    assert [sorted(names) for names in group.rounds] == [["a"], ["b", "c"]]


def test_an_error_is_raised_where_it_belongs(thread, group):
    group.go.set()
    assert isinstance(Caller(thread, "broken").end(), ModelError)
    assert Caller(thread, "a").end() == 7


def test_work_is_done_in_its_thread_and_its_errors_come_back(thread):
    assert thread.call(lambda: threading.current_thread().name) == "models"
    with pytest.raises(ZeroDivisionError):
        thread.call(lambda: 1 / 0)
    assert thread.call(lambda: 3) == 3


def test_a_group_that_breaks_ends_its_cameras_but_not_the_thread(thread, group):
    group.go.set()
    group.answer = lambda turn: 1 / 0
    assert isinstance(Caller(thread, "a").end(), ZeroDivisionError)
    assert thread.call(lambda: 3) == 3


def test_who_waits_when_it_is_left_is_told(thread, group):
    first = Caller(thread, "a")
    assert group.begun.wait(LONG_S)
    second = Caller(thread, "b")
    wait_for(thread, 1)
    thread.__exit__()
    group.go.set()
    assert first.end() == 7
    assert isinstance(second.end(), MotError)
    with pytest.raises(MotError, match="stopped at once"):
        thread.call(lambda: 3)
