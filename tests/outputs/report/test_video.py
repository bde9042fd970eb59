"""The video of a run: found where it may be, never anything else, shown at the right time."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from helpers.clips import Clip, level, make_clip, number_of
from helpers.reports import FPS, recorded, result
from mot_dinov3.outputs.report.crops import Album
from mot_dinov3.outputs.report.cutting import cut_albums
from mot_dinov3.outputs.report.recorder import RunData
from mot_dinov3.outputs.report.video import (
    ReportVideo,
    build_clock,
    compute_video_times,
    find_video,
)
from mot_dinov3.values.run_facts import RunFacts

BOX = (8, 6, 56, 42)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return make_clip(tmp_path_factory.mktemp("film") / "clip.mp4", Clip(frames=36, fps=FPS))


def named(**config):
    return RunData("run", facts=RunFacts(config=config))


def test_the_annotated_video_comes_before_the_source(clip, tmp_path):
    shutil.copy(clip, tmp_path / "tracked.mp4")
    run = named(source=str(clip), output="outputs/tracked.mp4", no_video=False)
    assert find_video(run, [tmp_path]) == ReportVideo(tmp_path / "tracked.mp4", annotated=True)
    assert find_video(run, [tmp_path], plain_first=True).path == clip
    assert find_video(named(source=str(clip), output="tracked.mp4", no_video=True), [tmp_path]) == (
        ReportVideo(clip, annotated=False)
    )


def test_the_source_of_a_run_that_hides_people_is_not_shown(clip, tmp_path):
    shutil.copy(clip, tmp_path / "tracked.mp4")
    run = named(source=str(clip), output="tracked.mp4", no_video=False, blur="heads")
    for plain_first in (True, False):
        video = find_video(run, [tmp_path], plain_first=plain_first)
        assert video == ReportVideo(tmp_path / "tracked.mp4", annotated=True)
    silent = named(source=str(clip), output="tracked.mp4", no_video=True, blur="boxes")
    assert find_video(silent, [tmp_path]) is None
    assert find_video(named(source=str(clip), no_video=True, blur="off"), [tmp_path]).path == clip


@pytest.mark.parametrize(
    "name",
    ["", None, 7, ["a.mp4"], "http://evil/a.mp4", "rtsp://camera/1", "0", "secret.txt", "gone.mp4",
     "a\0b.mp4", "x" * 5000 + ".mp4", "text.mp4", "directory.mp4", "synthetic:street"],
)  # fmt: skip
def test_only_an_existing_video_file_is_taken(tmp_path, name):
    (tmp_path / "text.mp4").write_text("root:x:0:0:root:/root:/bin/bash\n")
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "directory.mp4").mkdir()
    assert find_video(named(source=name, output=name), [tmp_path]) is None


def test_a_link_is_relative_and_quoted(clip, tmp_path):
    page = tmp_path / "pages" / "report.html"
    odd = tmp_path / 'a "b" #1?<x>.mp4'
    address = ReportVideo(odd, annotated=True).address(page)
    assert address == "./../a%20%22b%22%20%231%3F%3Cx%3E.mp4"
    script = ReportVideo(tmp_path / "pages" / "javascript:alert(1).mp4", annotated=True).address(
        page
    )
    assert script.startswith("./javascript%3A")


def frames(indices, fps=FPS):
    return [result(i, {1: BOX}) for i in indices]


def test_frames_are_shown_at_their_times():
    run = recorded(frames(range(10, 20)))
    tracked, source = (
        ReportVideo(Path("a.mp4"), annotated=True),
        ReportVideo(Path("a.mp4"), annotated=False),
    )
    np.testing.assert_allclose(compute_video_times(run, tracked), np.arange(10) / FPS)
    np.testing.assert_allclose(compute_video_times(run, source), np.arange(10, 20) / FPS)
    run.facts = RunFacts(config={"fps": 5.0})
    np.testing.assert_allclose(compute_video_times(run, tracked), np.arange(10) / 5)


def test_the_clock_of_a_long_run_is_short():
    run = recorded([result(i, {}) for i in range(12_000)])
    known = build_clock(run, None)
    assert len(known["frame"]) == len(known["video_s"]) == 5000
    assert (known["frame"][0], known["frame"][-1]) == (0, 11_999)
    assert build_clock(recorded([]), None) == {"frame": [], "video_s": []}


def number(crop):
    import cv2

    return number_of(cv2.imdecode(np.frombuffer(crop.jpeg, np.uint8), cv2.IMREAD_COLOR))


def test_pictures_are_cut_from_the_frames_they_name(clip):
    run = recorded([result(i, {1: BOX} if i < 20 else {2: BOX}) for i in range(3, 33)])
    film = ReportVideo(clip, annotated=False)
    cuttings = cut_albums(run, run.tracks.values(), film)
    assert cuttings.notice == ""
    first, second = cuttings.albums[1], cuttings.albums[2]
    assert [number(crop) for crop in (first.first, first.last)] == [3, 19]
    assert [number(crop) for crop in (second.first, second.last)] == [20, 32]


def test_seeking_far_finds_the_same_pictures(tmp_path):
    long = make_clip(tmp_path / "long.mp4", Clip(frames=400, fps=FPS, options=(("g", "20"),)))
    run = recorded([result(i, {1: BOX} if i in (0, 390) else {}) for i in range(400)])
    album = cut_albums(run, run.tracks.values(), ReportVideo(long, annotated=False)).albums[1]
    assert [number(crop) for crop in (album.first, album.last)] == [0, round((level(390) - 20) / 6)]


def test_reading_that_takes_too_long_is_said(clip):
    run = recorded(frames(range(30)))
    times = iter(range(0, 10_000, 15))
    cuttings = cut_albums(
        run, run.tracks.values(), ReportVideo(clip, annotated=False), lambda: next(times)
    )
    assert "pictures are missing" in cuttings.notice


def test_a_video_that_ends_early_gives_what_it_has(clip):
    run = recorded(frames(range(100)))
    album = cut_albums(run, run.tracks.values(), ReportVideo(clip, annotated=False)).albums[1]
    assert album.first is not None
    assert album.last is None


def test_a_damaged_video_is_said(tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"\0\0\0\x20ftypisom" + bytes(500))
    run = recorded(frames(range(10)))
    cuttings = cut_albums(run, run.tracks.values(), ReportVideo(broken, annotated=False))
    assert cuttings.albums == {}
    assert "could not be read" in cuttings.notice
    assert Album().first is None
