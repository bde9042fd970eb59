"""Files that were cut or flipped: what can be read is read, and what is lost is said."""

from __future__ import annotations

import random
import struct
import time

import av
import numpy as np
import pytest
from PIL import Image

from helpers.clips import Clip, make_clip, number_of
from mot_dinov3.config import SourceConfig
from mot_dinov3.errors import InputError
from mot_dinov3.io.containers import packets_of
from mot_dinov3.io.read.sources import open_source
from mot_dinov3.io.truncation import describe_damage
from mot_dinov3.lab.selftest.clips import ClipKind
from mot_dinov3.lab.selftest.clips import make_clip as make_kind

FAST = (("movflags", "faststart"),)
FRAGMENTS = (("movflags", "frag_keyframe+empty_moov"),)
LONG = {"frames": 60, "size": (160, 120)}
CLIPS = {
    "fast.mp4": Clip(**LONG, muxer_options=FAST),
    "sound.mp4": Clip(**LONG, audio="aac", muxer_options=FAST),
    "fragments.mp4": Clip(**LONG, options=(("g", "10"),), muxer_options=FRAGMENTS),
    "a.mkv": Clip(**LONG),
    "a.webm": Clip(**LONG, codec="libvpx-vp9", options=(("cpu-used", "8"),)),
    "a.avi": Clip(**LONG, codec="mpeg4", options=(("flags", "+qscale"), ("global_quality", "118"))),
    "a.flv": Clip(**LONG),
    "a.ts": Clip(**LONG),
}


def read(path):
    """(reader, frames), or (None, None) when nothing can be read and that was said properly."""
    try:
        with open_source(SourceConfig(source=str(path))) as reader:
            return reader, list(reader)
    except InputError as error:
        refused = error
    assert str(path) in refused.what
    assert refused.fix
    return None, None


def cut(path, share):
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


@pytest.mark.parametrize("share", [0.97, 0.7, 0.5])
@pytest.mark.parametrize("name", [name for name in CLIPS if name != "a.ts"])
def test_a_cut_file_is_read_as_far_as_it_goes_and_said_to_be_cut(tmp_path, name, share):
    path = cut(make_clip(tmp_path / name, CLIPS[name]), share)
    reader, frames = read(path)
    assert frames
    assert len(frames) <= 60 * share + 4
    assert reader.partial
    assert reader.faults["truncated"] == 1
    if name in ("fast.mp4", "a.mkv", "a.avi") and share < 0.9:
        lost = 60 - len(frames)
        assert 0 <= lost - reader.faults["missing_frames"] <= 4
    assert [number_of(frame.image) for frame in frames[:10]] == list(range(min(10, len(frames))))


@pytest.mark.parametrize("share", [0.05, 0.5, 0.98])
def test_a_movie_without_its_index_is_cut_short(tmp_path, share):
    path = cut(make_clip(tmp_path / "a.mp4", Clip(**LONG)), share)
    with pytest.raises(InputError, match=r"is cut short: \d+ bytes are missing"):
        open_source(SourceConfig(source=str(path)))


def test_a_movie_that_is_still_being_recorded(tmp_path):
    path = make_clip(tmp_path / "a.mp4", Clip(**LONG))
    data = bytearray(path.read_bytes())
    start = data.index(b"moov")
    path.write_bytes(data[: start - 4])
    with pytest.raises(InputError, match="has no index"):
        open_source(SourceConfig(source=str(path)))


def test_a_selection_that_ends_before_the_cut_is_whole(tmp_path):
    path = cut(make_clip(tmp_path / "a.mp4", CLIPS["fast.mp4"]), 0.7)
    with open_source(SourceConfig(source=str(path), max_frames=5)) as reader:
        assert len(list(reader)) == 5
    assert not reader.partial


def test_one_frame_is_a_video(tmp_path):
    for name in ("a.mp4", "a.mkv", "a.avi", "a.ts"):
        codec = "mpeg4" if name == "a.avi" else "libx264"
        reader, frames = read(make_clip(tmp_path / name, Clip(frames=1, codec=codec)))
        assert [(frame.index, frame.time_s) for frame in frames] == [(0, 0.0)]
        assert not reader.partial


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
def test_no_frame_is_an_error(tmp_path, name):
    codec = "mpeg4" if name == "a.avi" else "libx264"
    path = tmp_path / name
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, width=64, height=48)
        stream.pix_fmt = "yuv420p"
        container.start_encoding()
    with pytest.raises(InputError):
        open_source(SourceConfig(source=str(path)))


@pytest.mark.parametrize("name", list(CLIPS))
def test_flipped_bits_never_crash_hang_or_turn_time_back(tmp_path, name):
    whole = make_clip(tmp_path / name, CLIPS[name]).read_bytes()
    said = 0
    for seed in range(12):
        rng, data = random.Random(seed), bytearray(whole)
        for _ in range(rng.choice([1, 5, 30])):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        (tmp_path / name).write_bytes(data)
        started = time.monotonic()
        reader, frames = read(tmp_path / name)
        assert time.monotonic() - started < 20
        times = [frame.time_s for frame in frames or ()]
        assert times == sorted(set(times))
        assert len({frame.image.shape for frame in frames or ()}) <= 1
        said += reader is None or reader.partial
    assert said >= 3


@pytest.mark.parametrize("seed", range(3))
def test_damage_inside_the_pictures_is_counted(tmp_path, seed):
    path = make_clip(tmp_path / "a.mp4", CLIPS["fast.mp4"])
    data, rng = bytearray(path.read_bytes()), random.Random(seed)
    start = data.index(b"mdat") + 1500
    for _ in range(8):
        data[rng.randrange(start, len(data))] ^= 0xFF
    path.write_bytes(data)
    reader, frames = read(path)
    assert len(frames) >= 30
    assert reader.faults["corrupt_frames"] + reader.faults["corrupt_packets"] > 0
    assert reader.partial


def test_a_disk_error_in_the_middle_ends_the_reading_as_partial(tmp_path):
    path = make_clip(tmp_path / "a.mp4", CLIPS["fast.mp4"])
    with open_source(SourceConfig(source=str(path))) as reader:
        real = reader._decoder._container

        class Failing:
            def demux(self, stream):
                for number, packet in enumerate(real.demux(stream)):
                    if number == 20:
                        raise av.error.OSError(5, "Input/output error")
                    yield packet

            def __getattr__(self, name):
                return getattr(real, name)

        reader._decoder._container = Failing()
        reader._decoded = iter(reader._decoder)
        frames = list(reader)
    assert 10 < len(frames) < 40
    assert reader.faults["read_errors"] == 1
    assert reader.partial


def test_a_demuxer_that_fails_forever_is_left(tmp_path):
    path = make_clip(tmp_path / "a.mp4", CLIPS["fast.mp4"])
    with open_source(SourceConfig(source=str(path))) as reader:
        real = reader._decoder._container

        class Stuck:
            asked = 0

            def demux(self, stream):
                Stuck.asked += 1
                raise av.InvalidDataError(1, "again and again")

            def __getattr__(self, name):
                return getattr(real, name)

        reader._decoder._container = Stuck()
        reader._decoded = iter(reader._decoder)
        assert len(list(reader)) == 1
    assert Stuck.asked < 1000
    assert reader.partial


class StumblesAtTheEnd:
    """PyAV where a stream appeared on the way: it reads beyond its list when all is flushed."""

    def __init__(self, real):
        self.real = real

    def demux(self, *streams):
        yield from self.real.demux(*streams)
        raise IndexError("list index out of range")

    def __getattr__(self, name):
        return getattr(self.real, name)


def test_a_stream_that_appears_on_the_way_changes_nothing(tmp_path):
    path = make_clip(tmp_path / "a.ts", Clip(**LONG, audio="aac"))
    with open_source(SourceConfig(source=str(path))) as reader:
        reader._decoder._container = StumblesAtTheEnd(reader._decoder._container)
        reader._decoded = iter(reader._decoder)
        assert len(list(reader)) == 60
    with av.open(str(path)) as container:
        kinds = {packet.stream.type for packet in packets_of(StumblesAtTheEnd(container))}
    assert kinds == {"video", "audio"}


def test_whole_files_have_no_damage(tmp_path):
    for name, clip in CLIPS.items():
        assert describe_damage(make_clip(tmp_path / name, clip)) == ""
    assert describe_damage(tmp_path / "missing.mp4") == ""
    live = (("live", "1"),)
    assert describe_damage(make_clip(tmp_path / "live.mkv", Clip(muxer_options=live))) == ""


@pytest.mark.parametrize("name", ["a.mkv", "a.webm", "a.avi", "a.flv", "fast.mp4"])
def test_even_a_few_missing_bytes_show(tmp_path, name):
    path = make_clip(tmp_path / name, CLIPS[name])
    path.write_bytes(path.read_bytes()[: -9 if name == "a.flv" else -5])  # 4 repeat a size
    assert describe_damage(path) == "is cut short: 5 bytes are missing at its end"


@pytest.fixture
def moving_gif(tmp_path):
    path = tmp_path / "a.gif"
    rng = np.random.default_rng(1)
    pages = [Image.fromarray(rng.integers(0, 255, (60, 80), np.uint8)) for _ in range(12)]
    pages[0].save(path, save_all=True, append_images=pages[1:], duration=40, comment="x" * 600)
    return path


@pytest.mark.parametrize("share", [0.98, 0.5, 0.2])
def test_a_cut_gif_is_said_to_be_cut(moving_gif, share):
    reader, frames = read(cut(moving_gif, share))
    assert 0 < len(frames) <= 12
    assert reader.faults["truncated"] == 1
    assert reader.partial


@pytest.mark.parametrize("trailer", [b"", b"\0" * 9, b"!,!,MotionPhoto"])
def test_a_whole_gif_has_no_damage_whatever_follows_it(moving_gif, trailer):
    moving_gif.write_bytes(moving_gif.read_bytes() + trailer)
    reader, frames = read(moving_gif)
    assert len(frames) == 12
    assert not reader.faults


def test_a_gif_under_another_name_is_read_to_its_end(moving_gif):
    _, frames = read(moving_gif.rename(moving_gif.with_suffix(".jpg")))
    assert len(frames) == 12


@pytest.mark.parametrize(("kept", "cuts"), [(3, 1), (5, 1), (12, 0)])
def test_a_moving_png_that_ends_between_two_pictures_is_cut(tmp_path, kept, cuts):
    path = make_clip(tmp_path / "a.apng", Clip(12, (80, 60), codec="apng", pix_fmt="rgb24"))
    data = path.read_bytes()
    ends = [at - 4 for at in range(len(data)) if data.startswith(b"fcTL", at)]
    path.write_bytes(data[: [*ends, len(data)][kept]] + b"trailer" * (1 - cuts))
    reader, frames = read(path)
    assert 0 < len(frames) <= kept
    assert reader.faults["truncated"] == cuts


def test_a_photo_in_boxes_needs_no_index_of_a_movie(tmp_path):
    whole, cut_photo = tmp_path / "a.avif", tmp_path / "b.avif"
    whole.write_bytes(
        b"\0\0\0\x14ftypavif\0\0\0\0avif"
        + b"\0\0\0\x0cmeta"
        + bytes(4)
        + b"\0\0\0\x0cmdat"
        + bytes(4)
    )
    cut_photo.write_bytes(whole.read_bytes()[:-2])
    assert describe_damage(whole) == ""
    assert describe_damage(cut_photo) == "is cut short: 2 bytes are missing at its end"


def stretch_matroska(data):
    """Declare two seconds more than the pictures last, as if the last one were held."""
    at = data.index(b"\x44\x89\x88") + 3
    (length_ms,) = struct.unpack(">d", data[at : at + 8])
    longer = data[:at] + struct.pack(">d", length_ms + 2000) + data[at + 8 :]
    return longer.replace(b"DURATION", b"DURATIOX")


def stretch_avi(data):
    """Declare twice as many pictures in the heads of the file and of its stream."""
    for tag, field in ((b"avih", 24), (b"strh", 40)):
        at = data.index(tag) + field
        (count,) = struct.unpack("<I", data[at : at + 4])
        data = data[:at] + struct.pack("<I", 2 * count) + data[at + 4 :]
    return data


def stretch_movie(data):
    """Declare more pictures in the table of times than the table of sizes has."""
    at = data.index(b"stts") + 12
    (count,) = struct.unpack(">I", data[at : at + 4])
    return data[:at] + struct.pack(">I", count + 50) + data[at + 4 :]


def stretch_flash(data):
    """Declare two seconds more than the pictures last."""
    at = data.index(b"duration") + 9
    (length_s,) = struct.unpack(">d", data[at : at + 8])
    return data[:at] + struct.pack(">d", length_s + 2) + data[at + 8 :]


@pytest.mark.parametrize(
    ("name", "stretch"),
    [("a.mkv", stretch_matroska), ("a.webm", stretch_matroska), ("a.avi", stretch_avi),
     ("fast.mp4", stretch_movie), ("a.flv", stretch_flash)],
)  # fmt: skip
def test_a_declared_length_is_not_a_count_of_pictures(tmp_path, name, stretch):
    path = make_clip(tmp_path / name, CLIPS[name])
    path.write_bytes(stretch(path.read_bytes()))
    with open_source(SourceConfig(source=str(path))) as reader:
        declared = reader.info.frame_count
        assert len(list(reader)) == 60
    assert declared > 60 or name == "a.flv"
    assert not reader.partial
    assert not reader.faults


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.nut", "a.mkv"])
def test_a_place_without_a_picture_is_not_a_loss(tmp_path, name):
    whole = make_clip(tmp_path / "a.avi", CLIPS["a.avi"])
    with av.open(str(whole)) as old, av.open(str(tmp_path / name), "w") as new:
        stream = old.streams.video[0]
        copy = new.add_stream_from_template(stream)
        for number, packet in enumerate(old.demux(stream)):
            if packet.dts is not None:
                stamps = packet.pts, packet.dts
                packet = av.Packet(b"") if number == 30 else packet
                packet.pts, packet.dts = stamps
                packet.time_base, packet.stream = stream.time_base, copy
                new.mux(packet)
    reader, frames = read(tmp_path / name)
    assert len(frames) == 59
    assert not reader.partial


def test_a_movie_whose_box_goes_on_to_the_end_shows_its_cut_by_the_index(tmp_path):
    path = make_clip(tmp_path / "a.mp4", CLIPS["fast.mp4"])
    data = path.read_bytes()
    at = data.index(b"mdat") - 4
    path.write_bytes(data[:at] + bytes(4) + data[at + 4 : int(len(data) * 0.7)])
    assert describe_damage(path) == ""
    reader, frames = read(path)
    assert len(frames) < 50
    assert reader.faults["truncated"] == 1
    assert reader.partial


def test_text_that_is_no_utf8_in_the_head_costs_nothing(tmp_path):
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "holiday"
        stream = container.add_stream("libx264", rate=25, width=64, height=48)
        stream.pix_fmt = "yuv420p"
        container.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        container.mux(stream.encode(None))
    path.write_bytes(path.read_bytes().replace(b"holiday", b"hol\xff\xfeay"))
    reader, frames = read(path)
    assert len(frames) == 1
    assert not reader.partial


def test_a_large_size_field_is_followed(tmp_path):
    path = tmp_path / "a.mp4"
    head = b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\0\x08moov"
    path.write_bytes(head + b"\0\0\0\x01mdat" + (1 << 33).to_bytes(8, "big") + bytes(64))
    assert f"{(1 << 33) - 80} bytes" in describe_damage(path)
    path.write_bytes(head + b"\0\0\0\0mdat" + bytes(64))
    assert describe_damage(path) == ""
    path.write_bytes(head + b"\0\0\0\x04mdat" + bytes(64))
    assert describe_damage(path) == ""


def test_another_codec_in_the_middle_is_damage_and_no_end_of_the_program(tmp_path):
    kinds = [ClipKind("x.ts", codec=codec) for codec in ("mpeg2video", "libx264")]
    parts = [make_kind(tmp_path / f"{kind.codec}.ts", kind, 12, (64, 48)) for kind in kinds]
    path = tmp_path / "both.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    with open_source(SourceConfig(source=str(path))) as reader:
        assert len(list(reader)) >= 10
        assert reader.partial
        assert reader.faults["corrupt_packets"] > 0
