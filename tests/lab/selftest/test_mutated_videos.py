"""Damaged videos in small number, and whether the measure would see what it looks for."""

from __future__ import annotations

from random import Random

import pytest

from mot_dinov3.errors import InputError
from mot_dinov3.io.read.clock import FrameClock
from mot_dinov3.lab.selftest import mutated_videos as measure
from mot_dinov3.lab.selftest.base import MeasureContext
from mot_dinov3.lab.selftest.clips import KINDS, make_clips
from mot_dinov3.lab.selftest.mutations import MUTATIONS, find_fields, mutate


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    directory = tmp_path_factory.mktemp("clips")
    make_clips(directory)
    return directory


@pytest.mark.slow
def test_hundreds_of_damaged_videos_are_read_or_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(measure, "FILES", 400)
    outcome = measure.measure_mutated_videos(
        MeasureContext(program=(), directory=tmp_path, full=True)
    )
    assert not outcome.failures
    assert outcome.met
    assert outcome.done == 400


def test_whole_clips_of_every_container_are_read_and_tracked(clips, tmp_path):
    suffixes = {path.suffix for path in clips.iterdir()}
    assert suffixes == {".mp4", ".mkv", ".ts", ".webm"}
    assert len(list(clips.iterdir())) == len(KINDS)
    for path in sorted(clips.iterdir()):
        assert measure.read_through(path) == ""
    copy = tmp_path / "sound.mp4"
    copy.write_bytes((clips / "sound.mp4").read_bytes())
    assert measure.run_through(copy) == ""


def test_the_same_number_makes_the_same_file(clips, tmp_path):
    def made(number, seed=0):
        path, words = measure.damage_clip(seed, number, str(clips), tmp_path)
        return path.name, path.read_bytes(), words

    assert made(5) == made(5)
    assert made(5) != made(6)
    assert made(5) != made(5, seed=1)


@pytest.mark.parametrize("mutation", sorted(set(MUTATIONS), key=lambda one: one.__name__))
def test_every_mutation_changes_the_file_and_leaves_one(clips, mutation):
    for whole in (path.read_bytes() for path in sorted(clips.iterdir())):
        changed = 0
        for seed in range(20):
            data = bytearray(whole)
            mutation(data, Random(seed))
            assert data
            changed += data != whole
        assert changed >= 15
    for seed in range(300):
        assert mutate(whole[:20], Random(seed))[0]


def test_the_fields_of_every_container_are_found(clips):
    for path in clips.iterdir():
        assert len(find_fields(path.read_bytes())) >= 15, path
    assert find_fields(b"no video") == []


def failing(clips, numbers=range(60)):
    return [words for number in numbers if (words := measure.try_clip(number, 0, str(clips)))]


def test_a_clock_that_goes_back_would_be_seen(monkeypatch, clips):
    monkeypatch.setattr(FrameClock, "convert", lambda self, stamp_s: stamp_s or 0.0)
    assert any("comes after frame" in words for words in failing(clips))


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (KeyError("fps"), "uncaught KeyError: 'fps'"),
        (InputError("It is broken."), "refused without a remedy"),
    ],
)
def test_what_escapes_would_be_seen(monkeypatch, clips, problem, words):
    def fail(config):
        raise problem

    monkeypatch.setattr(measure, "open_source", fail)
    assert words in failing(clips, [1])[0]
