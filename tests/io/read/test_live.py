"""Live sources: the newest frame, dropouts, real time, and a wish to stop that is always heard."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from itertools import pairwise

import pytest

from helpers.clips import number_of
from helpers.fakes import boxes
from helpers.feeds import Camera, Feed, stream_bytes
from mot_dinov3.config import LiveConfig, SourceConfig, TrackerConfig
from mot_dinov3.errors import InputError
from mot_dinov3.io.read import connection, live
from mot_dinov3.io.read.clock import LiveClock
from mot_dinov3.io.read.live import LiveReader
from mot_dinov3.tracking.tracker import Tracker
from mot_dinov3.values import Embeddings


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    monkeypatch.setattr(live, "FIRST_WAIT_S", 0.02)
    monkeypatch.setattr(live, "POLL_S", 0.02)
    monkeypatch.setattr(connection, "PATIENCE_S", 0.1)


@pytest.fixture
def sent(tmp_path):
    return stream_bytes(tmp_path)


def open_camera(*script, stopped=None, source=None, answer_s=2.0, **more):
    camera = Camera(*script)
    address = replace(camera.line, answer_s=answer_s)
    config = LiveConfig(**{"read_timeout": 2.0, **more})
    return camera, LiveReader(address, source or SourceConfig("x"), config, stopped)


def wait_for(check, within_s=10.0):
    until = time.monotonic() + within_s
    while not check():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_who_is_slow_gets_the_newest_frame_and_the_others_are_counted(sent):
    feed = Feed(sent, first=len(sent) // 3)
    _, reader = open_camera(feed)
    with reader:
        frames = iter(reader)
        first = next(frames)
        feed.more.set()
        wait_for(lambda: reader._connection.queue.ended)
        rest = list(frames)
    assert [frame.index for frame in rest] == [29]
    assert number_of(rest[0].image) == 29
    assert reader.faults["dropped"] == 28 - first.index > 5
    assert not reader.partial


def test_nothing_is_dropped_where_the_source_shall_wait(sent):
    _, reader = open_camera(Feed(sent), no_drop=True)
    with reader:
        frames = []
        for frame in reader:
            frames.append(frame)
            time.sleep(0.005)
    assert [frame.index for frame in frames] == list(range(30))
    assert [number_of(frame.image) for frame in frames] == list(range(30))
    assert [frame.time_s for frame in frames] == pytest.approx([n / 25 for n in range(30)])
    assert not reader.faults


def test_a_source_that_was_kept_waiting_is_not_late(sent, monkeypatch):
    """While models are loaded, for one: the times of the pictures behind them have no hole."""
    monkeypatch.setattr(connection, "MOST_LATE_S", 0.1)
    _, reader = open_camera(Feed(sent), no_drop=True)
    with reader:
        times = []
        for frame in reader:
            times.append(frame.time_s)
            time.sleep(0.4 if not frame.index else 0.0)
    assert times == pytest.approx([n / 25 for n in range(30)])


def test_what_came_while_the_models_were_loaded_is_past(sent):
    feed = Feed(sent, after="hang")
    _, reader = open_camera(feed)
    wait_for(lambda: reader._connection.received > 25)
    with reader:
        frame = next(iter(reader))
        assert frame.index > 20
        assert frame.time_s == 0.0
        assert "dropped" not in reader.faults
        feed.released.set()


def test_an_end_of_file_is_a_dropout_when_asked_to_reconnect(sent, monkeypatch):
    monkeypatch.setattr(live, "FIRST_WAIT_S", 0.0)
    camera, reader = open_camera(Feed(sent), Feed(sent), reconnect=1, no_drop=True)
    with reader:
        frames = list(reader)
    assert [frame.index for frame in frames] == list(range(60))
    assert [number_of(frame.image) for frame in frames] == [*range(30), *range(30)]
    times = [frame.time_s for frame in frames]
    assert all(a < b for a, b in pairwise(times))
    assert reader.faults == {"gaps": 2, "reconnects": 1}
    assert camera.calls == 3
    assert reader.partial, "it did not come back in the end"


def test_times_of_another_connection_say_nothing_of_the_gap(sent, tmp_path):
    later = stream_bytes(tmp_path, start_s=5.0)
    _, reader = open_camera(Feed(sent), Feed(later), reconnect=1, no_drop=True,
                            source=SourceConfig("x", max_frames=60))  # fmt: skip
    with reader:
        times = [frame.time_s for frame in reader]
    assert max(b - a for a, b in pairwise(times)) < 2


def test_without_tries_an_end_is_the_end_and_no_fault(sent):
    camera, reader = open_camera(Feed(sent), no_drop=True)
    with reader:
        assert len(list(reader)) == 30
    assert camera.calls == 1
    assert not reader.partial
    assert not reader.faults


def test_a_broken_line_is_partial_and_what_came_before_is_kept(sent):
    _, reader = open_camera(Feed(sent, after="break"), no_drop=True)
    with reader:
        assert len(list(reader)) >= 27
    assert reader.partial
    assert reader.faults["read_errors"] == 1


def test_a_broken_line_that_comes_back_is_whole(sent, caplog):
    script = Feed(sent, after="break"), InputError("The stream is not there."), Feed(sent)
    camera, reader = open_camera(*script, reconnect=2, no_drop=True,
                                 source=SourceConfig("x", max_frames=45))  # fmt: skip
    with reader:
        assert len(list(reader)) == 45
    assert camera.calls == 3
    assert reader.faults["gaps"] == reader.faults["reconnects"] == 1
    assert not reader.partial
    assert "try 1 of 2" in caplog.text
    assert "(The stream is not there): try 2 of 2" in caplog.text
    assert "is back after" in caplog.text


def test_a_read_that_never_returns_is_left_behind(sent):
    """No timeout of libav helps here: its read stands still in code that is not its own."""
    hanging = Feed(sent, after="hang")
    camera, reader = open_camera(
        hanging, Feed(sent), reconnect=1, no_drop=True, read_timeout=0.3,
        source=SourceConfig("x", max_frames=50),
    )  # fmt: skip
    with reader:
        frames = list(reader)
    assert len(frames) == 50
    assert camera.calls == 2
    gaps = [b.time_s - a.time_s for a, b in pairwise(frames)]
    assert 0.3 <= max(gaps) < 5
    assert sorted(gaps)[-2] < 0.2
    assert reader.faults["reconnects"] == 1
    hanging.released.set()


def test_silence_without_tries_ends_the_run_as_partial(sent):
    feed = Feed(sent, after="hang")
    _, reader = open_camera(feed, read_timeout=0.2, no_drop=True)
    started = time.monotonic()
    with reader:
        assert len(list(reader)) >= 27
    assert time.monotonic() - started < 5
    assert reader.partial
    feed.released.set()


def test_each_try_waits_twice_as_long_up_to_a_limit(sent, monkeypatch):
    monkeypatch.undo()
    assert [live.retry_delay_s(n) for n in range(9)] == [0, 0.5, 1, 2, 4, 8, 16, 30, 30]
    assert live.retry_delay_s(10**6) == 30


def test_tries_are_counted_for_each_dropout_anew(sent, monkeypatch):
    dead = InputError("gone.")
    camera, reader = open_camera(
        Feed(sent), dead, Feed(sent, after="hang"), dead, dead, reconnect=2, no_drop=True,
        read_timeout=0.4,
    )  # fmt: skip
    with reader:
        assert len(list(reader)) >= 55
    assert camera.calls == 5
    assert reader.faults["gaps"] == 2
    assert reader.partial


def test_a_line_that_breaks_off_at_once_uses_its_tries_up(sent, monkeypatch):
    monkeypatch.setattr(live, "FIRST_WAIT_S", 0.3)
    script = [Feed(sent) for _ in range(9)]
    camera, reader = open_camera(*script, reconnect=2, no_drop=True)
    with reader:
        assert len(list(reader)) == 90
    assert camera.calls == 3
    assert reader.partial


@pytest.mark.parametrize("after", ["hang", "end"])
def test_a_wish_to_stop_is_heard_while_nothing_comes(sent, monkeypatch, after):
    monkeypatch.setattr(live, "FIRST_WAIT_S", 30.0)
    wishes = threading.Event()
    feed = Feed(sent, after=after)
    _, reader = open_camera(feed, stopped=wishes.is_set, reconnect=5, read_timeout=30, no_drop=True)
    threading.Timer(0.5, wishes.set).start()
    started = time.monotonic()
    with reader:
        assert len(list(reader)) >= 27
    assert time.monotonic() - started < 3
    assert not reader.partial
    feed.released.set()


def test_it_comes_back_in_another_size_and_goes_on_in_the_first(sent, tmp_path):
    tall = stream_bytes(tmp_path, size=(48, 64))
    _, reader = open_camera(Feed(sent), Feed(tall), reconnect=1, no_drop=True,
                            source=SourceConfig("x", max_frames=60))  # fmt: skip
    with reader:
        frames = list(reader)
    assert (reader.info.width, reader.info.height) == (64, 48)
    assert {frame.image.shape for frame in frames} == {(48, 64, 3)}
    assert frames[-1].image[:, :10].max() == 0, "letterboxed"
    assert reader.faults["size_changes"] == 1


def test_a_source_that_never_answers_is_an_input_error():
    with pytest.raises(InputError, match="refused"):
        open_camera(InputError("refused"))


def test_a_source_that_answers_and_says_nothing_is_given_up():
    feed = Feed(b"", after="hang")
    started = time.monotonic()
    with pytest.raises(InputError, match="'camera' sends no picture"):
        open_camera(feed, read_timeout=0.1, answer_s=0.2)
    assert time.monotonic() - started < 5
    feed.released.set()


def test_a_source_without_a_picture_says_so(tmp_path):
    junk = bytes([0x47, 0x1F, 0xFF, 0x10]) + bytes(184)
    with pytest.raises(InputError, match=r"cannot be opened|no video|no frame"):
        open_camera(Feed(junk * 500))


def test_a_bug_is_not_taken_for_a_dropout(sent):
    _, reader = open_camera(Feed(sent), ZeroDivisionError("ours"), reconnect=3)
    with reader, pytest.raises(ZeroDivisionError):
        list(reader)


@pytest.mark.parametrize(
    ("selection", "indices"),
    [
        ({"start_frame": 25}, [25, 26, 27, 28, 29]),
        ({"end_frame": 2}, [0, 1, 2]),
        ({"max_frames": 2}, [0, 1]),
        ({"vid_stride": 10}, [0, 10, 20]),
    ],
)
def test_the_selection_holds_on_a_live_line(sent, selection, indices):
    _, reader = open_camera(Feed(sent), no_drop=True, source=SourceConfig("x", **selection))
    with reader:
        assert [frame.index for frame in reader] == indices


def test_a_start_that_is_never_reached_is_an_error(sent):
    _, reader = open_camera(Feed(sent), source=SourceConfig("x", start_frame=30))
    with reader, pytest.raises(InputError, match="ends after 30 frames, before --start-frame 30"):
        list(reader)


def test_no_thread_outlives_a_line_that_flows(sent):
    before = threading.active_count()
    feed = Feed(sent * 200)
    _, reader = open_camera(feed)
    with reader:
        next(iter(reader))
    wait_for(lambda: threading.active_count() == before)


@pytest.mark.parametrize(("gap_s", "same"), [(1.0, True), (2.5, False)])
def test_a_lost_track_dies_after_max_lost_seconds_of_gap(gap_s, same):
    """However few frames that were: the clock of the line says how long it took."""
    clock, tracker = LiveClock(), Tracker(TrackerConfig(max_lost_s=1.8, min_hits=1))
    seen = boxes((100, 100, 140, 200))
    ids = []
    for index in range(20):
        if index == 10:
            clock.mark_gap()
        arrived_s = index / 25 + (gap_s if index >= 10 else 0.0)
        view = tracker.predict(clock.convert(index / 25, arrived_s), seen)
        tracks = tracker.update(tracker.compare(seen, view), Embeddings.none(1), view)
        ids += tracks.id[tracks.detection == 0].tolist()
    assert len(ids) == 20
    assert (len(set(ids)) == 1) == same


class TestTimes:
    """What `LiveClock` makes of stamps and arrivals."""

    def test_the_source_s_steps_count_however_they_arrive(self):
        clock = LiveClock()
        arrivals = [5.0, 5.0, 5.001, 5.7, 5.8]
        times = [clock.convert(100 + n / 25, at) for n, at in enumerate(arrivals)]
        assert times == pytest.approx([n / 25 for n in range(5)])

    def test_over_a_gap_the_wall_clock_counts(self):
        clock = LiveClock()
        clock.convert(100.0, 0.0)
        clock.mark_gap()
        assert clock.convert(7.0, 12.5) == 12.5
        assert clock.convert(7.5, 12.6) == 13.0

    @pytest.mark.parametrize("stamp_s", [99.0, 100.0, 3700.0, None])
    def test_a_stamp_that_makes_no_sense_gives_way_to_the_wall_clock(self, stamp_s):
        clock = LiveClock()
        clock.convert(100.0, 0.0)
        assert clock.convert(stamp_s, 0.25) == 0.25

    def test_a_picture_that_comes_too_late_follows_a_gap(self):
        """A source replaced by one whose stamps happen to go on just there."""
        clock = LiveClock()
        clock.convert(100.0, 0.0)
        assert clock.convert(100.04, 5.0) == 5.0
        assert clock.convert(100.08, 5.04) == pytest.approx(5.04)
        assert clock.convert(100.12, 5.06) == pytest.approx(5.06), "early once more: jitter"
        assert clock.convert(101.0, 9.0) > 8.9

    def test_a_picture_is_late_by_more_than_its_source_was_kept_waiting(self):
        clock = LiveClock()
        clock.convert(100.0, 0.0)
        assert clock.convert(100.04, 5.0, 4.5) == pytest.approx(0.04)
        assert clock.convert(100.08, 10.0, 3.0) == pytest.approx(5.04)

    def test_a_gap_that_was_a_stall_is_not_counted_twice(self):
        clock = LiveClock()
        clock.convert(0.0, 0.0)
        burst = [clock.convert(n / 25, 3.0 + n / 1000) for n in range(1, 76)]
        assert burst[0] == pytest.approx(3.0, abs=0.01)
        assert burst[-1] == pytest.approx(3.1, abs=0.1)
        assert clock.convert(3.04, 3.115) == pytest.approx(3.15, abs=0.1)
        assert all(a < b for a, b in pairwise(burst))

    def test_segments_of_a_playlist_come_late_and_at_once(self):
        clock = LiveClock()
        clock.most_late_s = 12.0
        times = [clock.convert(n / 25, 6.0 * (n // 150)) for n in range(450)]
        assert times == pytest.approx([n / 25 for n in range(450)])

    def test_times_increase_in_any_case(self):
        clock = LiveClock()
        times = [clock.convert(stamp, 1.0) for stamp in (5.0, None, 5.0, None, None)]
        assert all(a < b for a, b in pairwise(times))
