from __future__ import annotations

import threading
import time

import pytest

from mot_dinov3.io.read.inbox import Inbox


def test_the_newest_item_takes_the_place_of_one_that_nobody_took():
    box = Inbox(1, newest=True)
    assert all(box.put(n) for n in range(5))
    assert (box.take(0.0), box.dropped) == (4, 4)
    assert box.take(0.0) is None


def test_who_brings_an_item_waits_for_room_where_none_is_given_up():
    box = Inbox(2, newest=False)
    brought = []

    def bring():
        for n in range(6):
            box.put(n)
            brought.append(n)

    thread = threading.Thread(target=bring, daemon=True)
    thread.start()
    time.sleep(0.1)
    assert len(brought) == 2
    assert [box.take(1.0) for _ in range(6)] == list(range(6))
    thread.join(5)
    assert box.dropped == 0


def test_what_waits_at_the_end_is_still_taken():
    box = Inbox(3, newest=False)
    box.put("last")
    box.end(OSError("gone"))
    assert box.take(1.0) == "last"
    started = time.monotonic()
    assert box.take(5.0) is None
    assert time.monotonic() - started < 1
    assert box.ended
    assert str(box.error) == "gone"


@pytest.mark.parametrize("newest", [False, True])
def test_nobody_waits_for_one_who_left(newest):
    box = Inbox(1, newest=newest)
    box.put(1)
    answers = []
    thread = threading.Thread(target=lambda: answers.append(box.put(2)), daemon=True)
    if newest:
        box.leave()
    thread.start()
    if not newest:
        time.sleep(0.05)
        box.leave()
    thread.join(5)
    assert answers == [False]
    assert box.take(0.0) is None


def test_looking_in_takes_no_longer_than_told():
    started = time.monotonic()
    assert Inbox(1, newest=True).take(0.05) is None
    assert 0.04 < time.monotonic() - started < 1
