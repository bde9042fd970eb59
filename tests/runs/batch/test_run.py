"""The loop of a batch, with a pool that follows a script."""

from __future__ import annotations

import signal
from dataclasses import replace

import pytest

from mot_dinov3.config import SourceConfig, TrackConfig
from mot_dinov3.runs.batch.base import Progress, TaskOutcome, TaskStarted
from mot_dinov3.runs.batch.run import choose_exit_code, run_batch
from mot_dinov3.runs.batch.tasks import Task


def task(number):
    config = TrackConfig(source=SourceConfig(source=f"{number}.mp4"))
    return Task(number, f"v{number}", "", config)


def outcome(number, code=0, **more):
    return TaskOutcome(f"v{number}", f"{number}.mp4", code, **more)


class ScriptedPool:
    """Ends each task in its second round of work as `ends` says; others in exit code 0."""

    def __init__(self, size=1, ends=()):
        self.size, self.ends = size, {one.name: one for one in ends}
        self.rounds, self.begun, self.stops = {}, [], 0
        self.before_round = lambda: None
        self.most = 0
        self.left_with = "not left"

    @property
    def free(self):
        return self.size - len(self.rounds)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.left_with = kind

    def begin(self, one):
        assert self.free > 0
        self.begun.append(one.name)
        self.rounds[one.name] = (one, 0)
        self.most = max(self.most, len(self.rounds))

    def work(self, on_event):
        self.before_round()
        for name, (one, rounds) in list(self.rounds.items()):
            if rounds == 0:
                on_event(TaskStarted(one, 1))
                self.rounds[name] = one, 1
            else:
                del self.rounds[name]
                on_event(self.ends.get(name, outcome(one.number)))

    def stop(self):
        self.stops += 1
        for name, (one, _) in self.rounds.items():
            self.ends[name] = outcome(one.number, 143, frames=5)


def run(pool, count=4):
    events = []
    return run_batch([task(n + 1) for n in range(count)], pool, events.append), events


def codes(outcomes):
    return [one.exit_code if one.begun else None for one in outcomes]


@pytest.mark.parametrize("size", [1, 2, 9])
def test_every_task_is_done_once_and_told_in_the_order_of_the_batch(size):
    pool = ScriptedPool(size)
    done, events = run(pool)
    assert pool.begun == [one.name for one in done] == ["v1", "v2", "v3", "v4"]
    assert pool.most == min(size, 4)
    assert sorted(map(str, events)) == sorted(
        map(str, [*done, *(TaskStarted(task(n), 1) for n in range(1, 5))])
    )
    assert (pool.stops, pool.left_with) == (0, None)


def test_one_bad_video_does_not_stop_the_others():
    done, _ = run(ScriptedPool(2, [outcome(2, 3, reason="bad"), outcome(3, 1)]))
    assert codes(done) == [0, 3, 1, 0]
    assert choose_exit_code(done) == 4


def test_a_problem_of_all_ends_the_batch():
    pool = ScriptedPool(1, [outcome(2, 6, reason="no model", common=True)])
    done, _ = run(pool)
    assert codes(done) == [0, 6, None, None]
    assert "every video would fail" in done[3].reason
    assert choose_exit_code(done) == 6
    assert pool.begun == ["v1", "v2"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_lets_what_runs_end_and_nothing_more_begin(number, code):
    pool = ScriptedPool(2)
    rounds = iter([lambda: None, lambda: signal.raise_signal(number)])
    pool.before_round = lambda: next(rounds, lambda: None)()
    before = signal.getsignal(number)
    done, _ = run(pool)
    assert signal.getsignal(number) is before
    # The first two were in their last round; the next two had begun when it was events.
    assert codes(done[:2]) == [0, 0]
    assert pool.stops == 1
    assert choose_exit_code(done) == code
    assert all("stopped" in one.reason or one.exit_code in (0, code) for one in done)
    assert not [one for one in done if one.begun and one.exit_code not in (0, code)]


def test_a_job_that_heard_the_signal_itself_ends_the_batch():
    done, _ = run(ScriptedPool(1, [outcome(2, 143, frames=7)]))
    assert codes(done) == [0, 143, None, None]
    assert done[1].frames == 7
    assert choose_exit_code(done) == 143


def test_workers_that_were_told_by_sigterm_what_was_sigint_say_so():
    pool = ScriptedPool(2)
    rounds = iter([lambda: signal.raise_signal(signal.SIGINT)])
    pool.before_round = lambda: next(rounds, lambda: None)()
    done, _ = run(pool)
    assert codes(done) == [130, 130, None, None]
    assert done[0].frames == 5


def test_a_second_sigint_cuts_off():
    pool = ScriptedPool(2)
    pool.before_round = lambda: signal.raise_signal(signal.SIGINT)
    done, _ = run(pool)
    assert pool.left_with is KeyboardInterrupt
    assert [one.reason for one in done] == ["cut off"] * 2 + ["stopped before its turn"] * 2
    assert choose_exit_code(done) == 130


@pytest.mark.parametrize(
    ("codes", "code"),
    [
        ([0, 0], 0),
        ([0, 3], 4),
        ([4, 4], 4),
        ([4, 3], 4),
        ([3, 3], 3),
        ([5, 5], 5),
        ([3, 5], 3),
        ([0, 130], 130),
        ([], 0),
    ],
)
def test_the_exit_code_of_all(codes, code):
    assert choose_exit_code([outcome(n, one) for n, one in enumerate(codes)]) == code


def test_what_never_began_has_no_say_in_the_code():
    assert choose_exit_code([outcome(1, 6, common=True), replace(outcome(2), begun=False)]) == 6


def test_progress_passes_through():
    pool = ScriptedPool(1)
    progress = Progress("v1", 5, 10, 2.0)
    original = pool.work

    def work(on_event):
        on_event(progress)
        original(on_event)

    pool.work = work
    assert progress in run(pool, 1)[1]
