"""Threads beside the caller's: order, bounds, errors, and that nobody is left hanging."""

from __future__ import annotations

import threading
import time

import pytest

from mot_dinov3.runtime.queues import BoundedQueue
from mot_dinov3.runtime.threads import ReadAhead, ReadNow, WorkBehind, WorkNow


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = threading.active_count()
    yield
    assert threading.active_count() == before


def wait_until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def counting(made, n=100):
    for number in range(n):
        made.append(number)
        yield number


@pytest.mark.parametrize("way", [ReadAhead, ReadNow])
def test_items_come_in_order(way):
    with way(range(50)) as items:
        assert list(items) == list(range(50))


def test_no_more_is_read_ahead_than_there_is_room_for():
    made = []
    with ReadAhead(counting(made), capacity=3) as items:
        ahead = iter(items)
        assert next(ahead) == 0
        wait_until(lambda: len(made) == 4)
        time.sleep(0.02)
        assert made == [0, 1, 2, 3], "one taken, three waiting"


def test_an_error_of_the_source_comes_behind_what_it_gave_before():
    def breaking():
        yield from (1, 2)
        raise KeyError("gone")

    taken = []

    def take():
        with ReadAhead(breaking()) as items:
            for item in items:
                taken.append(item)

    with pytest.raises(KeyError, match="gone"):
        take()
    assert taken == [1, 2]


def test_whoever_stops_taking_stops_the_reading():
    made = []
    with ReadAhead(counting(made)) as items:
        for item in items:
            if item == 1:
                break
    count = len(made)
    time.sleep(0.02)
    assert len(made) == count <= 5


def test_waiting_for_a_slow_source_is_told():
    def slow():
        for number in range(3):
            time.sleep(0.02)
            yield number

    with ReadAhead(slow()) as items:
        assert list(items) == [0, 1, 2]
    assert items.waited_s > 0.05


@pytest.mark.parametrize("way", [WorkBehind, WorkNow])
def test_work_is_done_in_order_and_its_fruit_is_handed_back(way):
    with way(lambda x: x * x) as behind:
        got = []
        for number in range(20):
            behind.put(number)
            got += behind.take_results()
    got += behind.take_results()
    assert got == [number * number for number in range(20)]


@pytest.mark.parametrize("way", [WorkBehind, WorkNow])
def test_an_error_of_the_work_keeps_its_type_and_ends_it(way):
    done = []

    def work(number):
        if number == 3:
            raise KeyError("three")
        done.append(number)
        return number

    behind = way(work)

    def put_all():
        with behind:
            for number in range(50):
                behind.put(number)

    with pytest.raises(KeyError, match="three"):
        put_all()
    assert done == list(behind.take_results()) == [0, 1, 2]


def test_a_last_item_that_fails_is_noticed_on_leaving():
    behind = WorkBehind(lambda x: 1 // x)
    with pytest.raises(ZeroDivisionError), behind:
        behind.put(0)


def test_putting_waits_for_room_and_says_how_long():
    gate = threading.Event()
    behind = WorkBehind(lambda x: gate.wait(10), capacity=2)
    opener = threading.Timer(0.05, gate.set)
    with behind:
        for _ in range(3):  # one in hand and two waiting
            behind.put(0)
        assert behind.waited_s < 0.04
        opener.start()
        behind.put(0)
        assert behind.waited_s > 0.04
    opener.join()
    assert behind.busy_s > 0.04


def test_an_error_of_the_caller_lets_the_work_finish():
    done = []

    def work(number):
        time.sleep(0.005)
        done.append(number)

    def fail():
        with WorkBehind(work) as behind:
            for number in range(3):
                behind.put(number)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert done == [0, 1, 2]


def test_an_interruption_drops_what_waits():
    done, gate = [], threading.Event()

    def work(number):
        gate.wait(10)
        done.append(number)

    def interrupted():
        with WorkBehind(work) as behind:
            for number in range(3):
                behind.put(number)
            threading.Timer(0.05, gate.set).start()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert done in ([], [0])


def test_of_two_errors_the_caller_s_is_raised_and_names_the_other():
    behind = WorkBehind(lambda x: 1 // x)

    def both():
        with behind:
            behind.put(0)
            raise KeyError("first")

    with pytest.raises(KeyError, match="first") as caught:
        both()
    assert "division" in "".join(caught.value.__notes__)


def test_a_full_queue_lets_go_when_the_consumer_leaves():
    queue = BoundedQueue(1)
    answers = []
    assert queue.put(1)
    giver = threading.Thread(target=lambda: answers.append(queue.put(2)))
    giver.start()
    time.sleep(0.02)
    assert not answers
    queue.leave()
    giver.join(10)
    assert answers == [False]
    assert list(queue) == []
