"""A browser plays what is written, and what does not play would be seen."""

from __future__ import annotations

from threading import Lock

import pytest

from helpers.browser import chromium
from mot_dinov3.lab.benchmarks.own_program import build_own_command
from mot_dinov3.lab.selftest import playback
from mot_dinov3.lab.selftest.base import MeasureContext
from mot_dinov3.lab.selftest.cases import BrokenPromiseError
from mot_dinov3.lab.selftest.clips import ClipKind, make_clip

__all__ = ["chromium"]

GOOD = {"code": 0, "words": "", "how": "ended", "at_s": 1.0, "width": 64, "height": 48, "shown": 25}


def checked(tmp_path, chromium, make):
    bench = MeasureContext(program=tuple(build_own_command()), directory=tmp_path)
    (tmp_path / "case").mkdir()
    playback.check_plays(bench, chromium, Lock(), make, tmp_path / "case")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["odd-size", "variable-rate", "killed"])
def test_videos_play_to_their_end(tmp_path, chromium, name):
    checked(tmp_path, chromium, playback.VIDEOS[name])


def clip(damage, size=(64, 48)):
    """A clip of a second, with damage done to its bytes."""

    def make(bench, directory):
        path = make_clip(directory / "in.mp4", ClipKind("in.mp4"), 25, (64, 48))
        path.write_bytes(damage(path.read_bytes()))
        return playback.Video(path, size, 1.0)

    return make


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (clip(lambda data: data[: len(data) // 2]), "MediaError 4"),
        (clip(bytes, size=(48, 64)), "it is 64x48, not 48x64"),
    ],
)
def test_what_does_not_play_is_seen(tmp_path, chromium, make, words):
    with pytest.raises(BrokenPromiseError, match=words):
        checked(tmp_path, chromium, make)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"code": 3, "words": "decode"}, "MediaError 3: decode"),
        ({"how": "time is up"}, "it did not end: time is up at 1.00 s"),
        ({"at_s": 0.5}, "it ended after 0.50 of 1.00 s"),
        ({"shown": 0}, "no picture was shown"),
    ],
)
def test_every_complaint_of_the_browser_counts(tmp_path, told, words):
    video = playback.Video(tmp_path / "o.mp4", (64, 48), 1.0)
    playback.expect_played(video, GOOD)
    with pytest.raises(BrokenPromiseError, match=words):
        playback.expect_played(video, GOOD | told)


def test_without_a_browser_it_is_skipped_and_not_passed(tmp_path, monkeypatch):
    monkeypatch.setattr(playback, "describe_missing", lambda: "chromium is not installed")
    outcome = playback.measure_playback(MeasureContext(program=(), directory=tmp_path))
    assert outcome.skipped == "chromium is not installed"
    assert not outcome.met
