from __future__ import annotations

import threading
import time

import pytest

from mot_dinov3.runtime.queues import BoundedQueue


def test_the_newest_item_takes_the_place_of_one_that_nobody_took():
    queue = BoundedQueue(1, newest=True)
    assert all(queue.put(n) for n in range(5))
    assert (queue.take(0.0), queue.dropped) == (4, 4)
    assert queue.take(0.0) is None


def test_who_brings_an_item_waits_for_room_where_none_is_given_up():
    queue = BoundedQueue(2, newest=False)
    brought = []

    def bring():
        for n in range(6):
            queue.put(n)
            brought.append(n)

    thread = threading.Thread(target=bring, daemon=True)
    thread.start()
    time.sleep(0.1)
    assert len(brought) == 2
    assert [queue.take(1.0) for _ in range(6)] == list(range(6))
    thread.join(5)
    assert queue.dropped == 0


def test_what_waits_at_the_end_is_still_taken():
    queue = BoundedQueue(3, newest=False)
    queue.put("last")
    queue.end(OSError("gone"))
    assert queue.take(1.0) == "last"
    started = time.monotonic()
    assert queue.take(5.0) is None
    assert time.monotonic() - started < 1
    assert queue.ended
    assert str(queue.error) == "gone"


@pytest.mark.parametrize("newest", [False, True])
def test_nobody_waits_for_one_who_left(newest):
    queue = BoundedQueue(1, newest=newest)
    queue.put(1)
    answers = []
    thread = threading.Thread(target=lambda: answers.append(queue.put(2)), daemon=True)
    if newest:
        queue.leave()
    thread.start()
    if not newest:
        time.sleep(0.05)
        queue.leave()
    thread.join(5)
    assert answers == [False]
    assert queue.take(0.0) is None


def test_looking_in_takes_no_longer_than_told():
    started = time.monotonic()
    assert BoundedQueue(1, newest=True).take(0.05) is None
    assert 0.04 < time.monotonic() - started < 1
