"""Runs that are cut off at any frame and resumed end as if they had not been."""

from __future__ import annotations

from statistics import median

import numpy as np
import pytest

from helpers.journaled import (
    FINGERPRINT,
    FRAMES,
    ColourEmbedder,
    CountingDetector,
    Run,
    config,
    crowd,
    frames,
    place,
    without_times,
)
from mot_dinov3.errors import InputError
from mot_dinov3.runs.resume.contents import read_contents, read_frames
from mot_dinov3.runs.resume.recorder import JournalRecorder
from mot_dinov3.runs.resume.records import read_records

SETTINGS = {
    "unlimited": {},
    "crops": {"budget_crops": 1},
    "hard crops": {"budget_crops": 1, "hard_budget": True},
    "time": {"budget_ms": 5.0},
    "rate": {"target_fps": 60.0},
    "rule": {"embed_policy": "continuity", "budget_crops": 2},
}


@pytest.fixture(params=SETTINGS)
def settings(request):
    return config(**SETTINGS[request.param])


def whole_run(directory, settings):
    """A run that was killed after its last frame: its journal is all there."""
    home = place(directory, settings)
    with home.begin(FINGERPRINT) as journal:
        run = Run(settings, journal).go(frames())
    return home, run


def cut_after(path, count):
    """Leave the first `count` frames of a journal, as a kill there would have."""
    ends = [record.end for record in read_records(path)]
    size = ends[count + 1]  # whose, partial files, frames
    path.write_bytes(path.read_bytes()[:size])


def test_the_journal_holds_every_answer(tmp_path, settings):
    home, run = whole_run(tmp_path, settings)
    kept = list(read_frames(home.path))
    assert [item.index for item in kept] == run.detector.asked == list(range(FRAMES))
    assert [len(item.detections) for item in kept] == [len(rows) for rows in crowd()]
    assert sum(len(item.batches) for item in kept) == run.embedder.calls > 3
    assert [len(item.vectors) for item in kept] == [r.embed.computed for r in run.results]


@pytest.mark.parametrize("cut", [1, 2, 13, 27, FRAMES - 1, FRAMES])
def test_a_run_that_was_cut_off_goes_on_as_if_it_had_not(tmp_path, settings, cut):
    home, before = whole_run(tmp_path, settings)
    cut_after(home.path, cut)
    again = place(tmp_path, settings)
    with again.resume(FINGERPRINT) as journal:
        run = Run(settings, journal)
        run.go(frames(cut))
        assert run.detector.asked == []
        assert run.embedder.calls == 0
        assert without_times(run.results) == without_times(before.results[:cut])
        given = {i for r in run.results for i in r.tracks.id if i > 0}
        assert given == set(range(1, run.inner.tracker.confirmed + 1))
        run.embedder.chance = after(before, cut)
        run.go(list(frames())[cut:])
    assert run.detector.asked == list(range(cut, FRAMES))
    if settings.scheduler.budget_ms == settings.scheduler.target_fps == 0:
        assert without_times(run.results) == without_times(before.results)
    assert read_contents(home.path).frames == FRAMES


@pytest.mark.parametrize("part", [CountingDetector, ColourEmbedder])
def test_a_model_that_remembers_frames_sees_the_known_ones_again(tmp_path, monkeypatch, part):
    monkeypatch.setattr(part, "has_memory", True)
    settings = config()
    whole_run(tmp_path, settings)
    with place(tmp_path, settings).resume(FINGERPRINT) as journal:
        run = Run(settings, journal).go(frames(10))
    assert run.detector.asked == list(range(10))
    assert (run.embedder.calls > 0) is (part is ColourEmbedder)


def after(before, cut):
    """The chance of an embedder that has embedded the first `cut` frames."""
    chance = np.random.default_rng(1)
    for result in before.results[:cut]:
        chance.normal(0, 0.05, (result.embed.computed, 6))
    return chance


def test_cut_off_again_and_again(tmp_path):
    settings = config(budget_crops=2)
    home, before = whole_run(tmp_path / "whole", settings)
    home = place(tmp_path, settings)
    known = 0
    for stop in (3, 4, 17, 18, 31, FRAMES):
        with home.resume(FINGERPRINT) as journal:
            assert journal.known_frames == known
            run = Run(settings, journal)
            run.embedder.chance = after(before, known)
            run.go(frames(stop))
        known, home = stop, place(tmp_path, settings)
    assert without_times(run.results) == without_times(before.results)


def test_repeated_answers_take_the_time_that_they_took(tmp_path):
    settings = config(budget_ms=5.0)
    home, before = whole_run(tmp_path, settings)
    with place(tmp_path, settings).resume(FINGERPRINT) as journal:
        run = Run(settings, journal).go(frames())
    kept = list(read_frames(home.path))
    for item, result in zip(kept, run.results, strict=True):
        took_ms = sum(ms for _, ms in item.batches)
        assert result.embed.embed_ms >= took_ms - 1e-6
        assert result.stage_ms["embed"] >= took_ms - 1e-6
        assert result.stage_ms["detect"] >= item.detect_ms - 1e-6
    apart = [
        abs(result.embed.embed_ms - first.embed.embed_ms)
        for item, result, first in zip(kept, run.results, before.results, strict=True)
        if item.batches
    ]
    assert median(apart) < 5  # of any one frame either may have waited for a core


def test_another_picture_is_refused(tmp_path):
    whole_run(tmp_path, config())
    with (
        place(tmp_path).resume(FINGERPRINT) as journal,
        pytest.raises(InputError, match="picture at fr"),
    ):
        Run(config(), journal).go(frames(seed=3))


def test_other_frames_are_refused(tmp_path):
    whole_run(tmp_path, config())
    with (
        place(tmp_path).resume(FINGERPRINT) as journal,
        pytest.raises(InputError, match="other frames"),
    ):
        Run(config(), journal).go(list(frames())[1:])


def test_a_tracker_that_goes_another_way_is_refused(tmp_path):
    whole_run(tmp_path, config())
    with place(tmp_path).resume(FINGERPRINT) as journal:
        run = Run(config(embed_all=True), journal)
        with pytest.raises(InputError, match="leads elsewhere"):
            run.go(frames())


def test_other_tracks_are_refused(tmp_path):
    settings = config()
    whole_run(tmp_path, settings)
    with place(tmp_path).resume(FINGERPRINT) as journal:
        run = Run(settings, journal).go(frames(10))
        run.inner.tracker.reset()
        with pytest.raises(InputError, match="other tracks"):
            run.go(list(frames())[10:])


def test_the_clock_moves_on_by_the_time_of_repeated_answers():
    recorder = JournalRecorder()
    before = recorder.clock()
    recorder._ahead_s += 3.0
    assert 3.0 <= recorder.clock() - before < 3.5
