"""Presentation times of containers that have none, or only some."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.frame import PictureType

from helpers.clips import Clip, make_clip, number_of, numbered
from mot_dinov3.config import SourceConfig
from mot_dinov3.io.read.sources import open_source

REORDERED = {"bf": "3", "g": "50"}
PATTERNED = {**REORDERED, "x264-params": "scenecut=0:b-adapt=0"}


def read(path, **selection):
    with open_source(SourceConfig(source=str(path), **selection)) as reader:
        return reader, list(reader)


def make(path, codec="libx264", options=None, fps=25, places=range(30), plain=0):
    """A clip whose n-th picture, which tells n, is shown at `places[n]` of `fps` a second.

    The first `plain` pictures are coded in the order in which they are shown.
    """
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=fps, width=64, height=48)
        stream.pix_fmt = "yuv420p"
        stream.options = (PATTERNED if codec == "libx264" else {}) if options is None else options
        stream.codec_context.time_base = Fraction(1, fps)
        for number, place in enumerate(places):
            frame = av.VideoFrame.from_ndarray(numbered(number), format="bgr24")
            frame = frame.reformat(format="yuv420p")
            frame.pts, frame.time_base = place, Fraction(1, fps)
            if number < plain:
                frame.pict_type = PictureType.P
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def strip_presentation_times(source, path):
    """Copy packets with their time of decoding as both times, as careless muxers do."""
    with av.open(str(source)) as old, av.open(str(path), "w") as new:
        stream = old.streams.video[0]
        copy = new.add_stream_from_template(stream)
        first = None
        for packet in old.demux(stream):
            if packet.dts is None:
                continue
            first = packet.dts if first is None else first
            packet.pts = packet.dts = packet.dts - first
            packet.stream = copy
            new.mux(packet)
    return path


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.avi", "libx264"), ("a.avi", "mpeg4"), ("a.asf", "libx264"), ("a.wmv", "mpeg4"),
     ("a.h264", "libx264"), ("a.hevc", "libx265"), ("a.m4v", "mpeg4"), ("a.ts", "libx264"),
     ("a.mpg", "mpeg2video"), ("a.vob", "libx264"), ("a.flv", "libx264")],
)  # fmt: skip
def test_reordered_pictures_come_at_equal_steps(tmp_path, name, codec):
    options = {"libx264": PATTERNED, "libx265": {}}.get(codec, REORDERED)
    reader, frames = read(make(tmp_path / name, codec, options))
    shown = [number_of(frame.image) for frame in frames]
    assert shown == sorted(shown)
    assert len(frames) == 30
    assert np.diff([frame.time_s for frame in frames]) == pytest.approx(0.04, abs=1.1e-3)
    assert not reader.faults


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.flv", "a.ts", "a.mov"])
def test_a_muxer_that_wrote_times_of_decoding_alone(tmp_path, name):
    path = strip_presentation_times(make(tmp_path / "a.h264.mp4"), tmp_path / name)
    reader, frames = read(path)
    assert len(frames) == 30
    assert np.diff([frame.time_s for frame in frames]) == pytest.approx(0.04, abs=1.1e-3)
    assert not reader.faults


def test_reordering_that_begins_late_is_no_surprise_in_an_avi(tmp_path):
    path = make(tmp_path / "a.avi", places=range(70), plain=40)
    reader, frames = read(path)
    assert np.diff([frame.time_s for frame in frames]) == pytest.approx(0.04)
    assert len(frames) == 70
    assert not reader.faults


@pytest.mark.parametrize("name", ["a.mkv", "a.flv"])
def test_pictures_without_a_time_at_the_end_follow_at_the_usual_step(tmp_path, name):
    """The decoder holds them back, and the head of the file knows no rate."""
    clip = Clip(frames=30, options=tuple(PATTERNED.items()))
    path = strip_presentation_times(make_clip(tmp_path / "a.mp4", clip), tmp_path / name)
    _, frames = read(path)
    assert np.diff([frame.time_s for frame in frames]) == pytest.approx(0.04, abs=1.1e-3)


def test_a_selection_has_the_times_of_the_whole(tmp_path):
    path = make(tmp_path / "a.avi")
    _, frames = read(path, start_frame=7, max_frames=5, vid_stride=3)
    assert [frame.index for frame in frames] == [7, 10, 13, 16, 19]
    assert [frame.time_s for frame in frames] == pytest.approx([0.04 * f.index for f in frames])


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_empty_places_of_an_avi_are_steps_in_time(tmp_path, codec):
    """Pictures that were left out are places without a picture in an AVI file."""
    shown = [index for index in range(40) if index % 10 != 3]
    reader, frames = read(make(tmp_path / "a.avi", codec, places=shown))
    assert len(frames) == 36
    steps = np.diff([frame.time_s for frame in frames]).round(3).tolist()
    assert set(steps) == {0.04, 0.08}
    # The decoder holds pictures back: the last empty place may lie behind its last time.
    assert 3 <= steps.count(0.08) <= 4
    assert not reader.faults


@pytest.mark.parametrize(("name", "codec"), [("a.h264", "libx264"), ("a.hevc", "libx265")])
def test_a_bare_stream_has_the_rate_that_its_codec_states(tmp_path, name, codec):
    reader, frames = read(make(tmp_path / name, codec, {}, fps=10))
    assert reader.info.fps == 10
    assert np.diff([frame.time_s for frame in frames]) == pytest.approx(0.1)


def test_variable_steps_stay_where_the_codec_could_reorder_but_did_not(tmp_path):
    places = np.cumsum([0, 2, 1, 5, 1, 1, 9, 2, 1, 1, 3, 1]).tolist()
    path = make(tmp_path / "a.mkv", options={"bf": "0"}, places=places)
    _, frames = read(path)
    assert [frame.time_s for frame in frames] == pytest.approx(
        [place / 25 for place in places], abs=1e-3
    )


def test_an_avi_of_fine_places_has_the_rate_of_its_pictures(tmp_path):
    places = [24 * index for index in range(40) if index % 10 != 3]
    reader, frames = read(make(tmp_path / "a.avi", "mpeg4", fps=600, places=places))
    assert reader.info.fps == 25
    assert 38 <= reader.info.frame_count <= 40
    assert [frame.time_s for frame in frames] == pytest.approx([p / 600 for p in places])
    assert not reader.faults


def test_times_before_zero(tmp_path):
    path = make(tmp_path / "a.ts")
    with av.open(str(path)) as old, av.open(str(tmp_path / "b.mkv"), "w") as new:
        stream = old.streams.video[0]
        copy = new.add_stream_from_template(stream)
        for packet in old.demux(stream):
            if packet.dts is not None:
                for kind in ("pts", "dts"):
                    setattr(packet, kind, getattr(packet, kind) - round(3 / stream.time_base))
                packet.stream = copy
                new.mux(packet)
    _, frames = read(tmp_path / "b.mkv")
    assert frames[0].time_s == 0
    assert np.diff([frame.time_s for frame in frames]) == pytest.approx(0.04, abs=1.1e-3)
    assert len(frames) == 30
