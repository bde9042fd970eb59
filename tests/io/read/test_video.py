"""Videos that are whole but unusual: turned, uneven in time, deep, odd, changing size."""

from __future__ import annotations

import gc
import struct
from fractions import Fraction

import av
import numpy as np
import pytest

from helpers.clips import Clip, corners, make_clip, number_of, numbered, read_back
from mot_dinov3.config import SourceConfig
from mot_dinov3.errors import InputError
from mot_dinov3.io.read.clock import FrameClock
from mot_dinov3.io.read.sources import open_source

SHARP_MPEG4 = (("flags", "+qscale"), ("global_quality", "118"))


def read(source, **selection):
    with open_source(SourceConfig(source=str(source), **selection)) as reader:
        return reader, list(reader)


@pytest.mark.parametrize(
    ("rotation", "hflip", "expected", "shape"),
    [
        (0, False, "RGBW", (48, 64, 3)),
        (90, False, "GWRB", (64, 48, 3)),
        (180, False, "WBGR", (48, 64, 3)),
        (270, False, "BRWG", (64, 48, 3)),
        (0, True, "GRWB", (48, 64, 3)),
        (180, True, "BWRG", (48, 64, 3)),
    ],
)
def test_the_display_matrix_is_applied(tmp_path, rotation, hflip, expected, shape):
    path = make_clip(tmp_path / "a.mp4", Clip(frames=3, rotation=rotation, hflip=hflip))
    reader, frames = read(path)
    assert {frame.image.shape for frame in frames} == {shape}
    assert corners(frames[0].image) == expected
    assert (reader.info.height, reader.info.width) == shape[:2]
    assert all(frame.image.flags.c_contiguous for frame in frames)


@pytest.mark.parametrize(
    ("rotation", "stored", "shown"),
    [(None, (64, 45), (64, 45)), (90, (64, 45), (45, 64)), (180, (2, 1), (2, 1)),
     (None, (99, 1), (1, 1))],
)  # fmt: skip
def test_oblong_pixels_are_told_upright(tmp_path, rotation, stored, shown):
    clip = Clip(frames=2, rotation=rotation, pixel_aspect=Fraction(*stored))
    reader, _ = read(make_clip(tmp_path / "a.mp4", clip))
    assert reader.info.pixel_aspect == Fraction(*shown)


def test_a_matrix_patched_into_the_track_header_is_applied(tmp_path):
    path = make_clip(tmp_path / "a.mp4", Clip(frames=3))
    data = path.read_bytes()
    identity = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)
    start = data.index(identity, data.index(b"tkhd"))
    clockwise = struct.pack(">9i", 0, 65536, 0, -65536, 0, 0, 48 << 16, 0, 1 << 30)
    path.write_bytes(data[:start] + clockwise + data[start + 36 :])
    _, frames = read(path)
    assert corners(frames[0].image) == "BRWG"


def test_variable_frame_rate_keeps_its_times(tmp_path):
    times = (0.0, 0.04, 0.05, 0.5, 0.51, 2.0, 2.02)
    path = make_clip(tmp_path / "a.mp4", Clip(frames=7, times=times))
    reader, frames = read(path)
    assert [frame.time_s for frame in frames] == pytest.approx(times, abs=2e-5)
    assert not reader.faults


def test_times_start_at_the_first_frame(tmp_path):
    times = tuple(5 + i / 25 for i in range(6))
    path = make_clip(tmp_path / "a.mkv", Clip(frames=6, times=times))
    assert [f.time_s for f in read(path)[1]] == pytest.approx([i / 25 for i in range(6)], abs=1e-3)


@pytest.mark.parametrize(
    ("name", "clip"),
    [
        ("ten.mkv", Clip(codec="libx265", pix_fmt="yuv420p10le")),
        ("high10.mp4", Clip(pix_fmt="yuv420p10le")),
        ("full.mp4", Clip(pix_fmt="yuv444p")),
        ("grey.mkv", Clip(codec="ffv1", pix_fmt="gray")),
        ("deepgrey.mkv", Clip(codec="ffv1", pix_fmt="gray10le")),
        ("odd.mkv", Clip(codec="ffv1", pix_fmt="yuv420p", size=(63, 47))),
        ("alpha.mkv", Clip(codec="ffv1", pix_fmt="bgra")),
        ("planar.nut", Clip(codec="ffvhuff", pix_fmt="gbrp")),
        ("jpeg.avi", Clip(codec="mjpeg", pix_fmt="yuvj420p")),
        ("old.avi", Clip(codec="mpeg4", options=SHARP_MPEG4)),
        ("web.webm", Clip(codec="libvpx-vp9", frames=6)),
        ("broadcast.ts", Clip(codec="mpeg2video")),
        ("raw.h264", Clip()),
        ("flash.flv", Clip(codec="flv1")),
        ("moving.gif", Clip(codec="gif", pix_fmt="rgb8")),
    ],
)
def test_every_kind_of_pixel_and_container_becomes_bgr(tmp_path, name, clip):
    reader, frames = read(make_clip(tmp_path / name, clip))
    assert [number_of(frame.image) for frame in frames] == list(range(clip.frames))
    assert all(frame.image.dtype == np.uint8 for frame in frames)
    assert (reader.info.width, reader.info.height) == clip.size
    assert np.all(np.diff([frame.time_s for frame in frames]) > 0)
    assert not reader.faults
    assert not reader.partial
    if "gray" not in clip.pix_fmt:
        assert corners(frames[-1].image) == "RGBW"


def test_palette_pictures_become_bgr(tmp_path):
    path = tmp_path / "a.nut"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("png", rate=25, width=64, height=48)
        stream.pix_fmt = "pal8"
        palette = np.zeros((256, 4), np.uint8)
        palette[7] = (255, 200, 10, 10)
        frame = av.VideoFrame.from_ndarray((np.full((48, 64), 7, np.uint8), palette), format="pal8")
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    _, frames = read(path)
    assert frames[0].image[20, 20].tolist() == [10, 10, 200]


def test_untagged_hd_is_read_as_bt709(tmp_path):
    """Players assume BT.709 from 720 lines on; the same must be seen here."""
    planes = np.full((1080, 1280), 128, np.uint8)
    planes[:720], planes[720:900] = 63, 102
    planes[900:] = 240
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25, width=1280, height=720)
        stream.pix_fmt = "yuv420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
        container.mux(stream.encode(None))
    blue, green, red = read(path)[1][0].image[300, 300].astype(int)
    assert red > 245
    assert green < 10
    assert blue < 10


def join_streams(path, *clips):
    """One raw stream of several clips of different sizes, one after the other."""
    parts = []
    for number, clip in enumerate(clips):
        parts.append(make_clip(path.with_name(f"part{number}{path.suffix}"), clip).read_bytes())
    path.write_bytes(b"".join(parts))
    return path


@pytest.mark.parametrize("suffix", [".h264", ".ts"])
def test_a_size_change_in_mid_stream_is_fitted_and_counted(tmp_path, suffix):
    path = join_streams(
        tmp_path / f"a{suffix}", Clip(size=(64, 48)), Clip(size=(96, 96)), Clip(size=(64, 48))
    )
    reader, frames = read(path)
    assert {frame.image.shape for frame in frames} == {(48, 64, 3)}
    assert len(frames) == 36
    assert reader.faults["size_changes"] == 2
    assert [number_of(frame.image) for frame in frames[::5]] == [0, 5, 10, 3, 8, 1, 6, 11]
    assert frames[18].image[:, :4].max() < 8
    assert np.all(np.diff([frame.time_s for frame in frames]) > 0)


def test_a_clock_that_restarts_goes_on(tmp_path):
    path = join_streams(tmp_path / "a.ts", Clip(), Clip())
    reader, frames = read(path)
    times = [frame.time_s for frame in frames]
    assert np.all(np.diff(times) > 0)
    assert times[-1] == pytest.approx(23 / 25, abs=0.1)
    assert 1 <= reader.faults["bad_timestamps"] <= 2
    assert not reader.partial


def convert(stamps, fps=25):
    clock = FrameClock(fps)
    return [clock.convert(stamp) for stamp in stamps], clock.bad


def test_the_clock_keeps_good_times_and_starts_at_zero():
    times, bad = convert([3.0, 3.1, 3.15, 9.0])
    assert times == pytest.approx([0, 0.1, 0.15, 6.0])
    assert bad == 0


@pytest.mark.parametrize("outlier", [0.0, -4.0, 1e9, 3.1])
def test_one_bad_stamp_costs_only_itself(outlier):
    times, bad = convert([3.0, 3.1, outlier, 3.2, 3.3])
    assert times == pytest.approx([0, 0.1, 0.12, 0.2, 0.3])
    assert bad == 1


def test_missing_stamps_are_filled_with_the_nominal_step():
    times, bad = convert([None, None, None])
    assert times == pytest.approx([0, 0.04, 0.08])
    assert bad == 0
    times, bad = convert([1.0, None, 1.08])
    assert times == pytest.approx([0, 0.04, 0.08])
    assert bad == 0
    times, bad = convert([None, None, 7.0, 7.1])
    assert times == pytest.approx([0, 0.04, 0.08, 0.18])


def test_the_clock_never_goes_back_whatever_it_is_told():
    rng = np.random.default_rng(0)
    stamps = rng.choice([0.0, 1.0, 5.0, -1e12, 1e12, 2.5, 2.5], 500).tolist()
    times, _ = convert(stamps)
    assert np.all(np.diff(times) > 0)


def test_skipped_frames_are_not_converted(tmp_path, monkeypatch):
    from mot_dinov3.io.pictures import PictureMaker

    converted = []
    original = PictureMaker.from_frame
    monkeypatch.setattr(
        PictureMaker, "from_frame", lambda self, f: converted.append(f) or original(self, f)
    )
    read(make_clip(tmp_path / "a.mp4", Clip(frames=30)), vid_stride=10)
    assert len(converted) == 3


def test_frames_do_not_wait_for_garbage_collection(tmp_path):
    path = make_clip(tmp_path / "a.mp4", Clip(frames=60, rotation=90))
    gc.collect()
    gc.disable()
    try:
        read(path)
        kept = sum(issubclass(type(item), av.VideoFrame) for item in gc.get_objects())
    finally:
        gc.enable()
    assert kept < 10


def test_a_break_in_the_middle_closes_the_file(tmp_path):
    with open_source(SourceConfig(source=str(make_clip(tmp_path / "a.mp4")))) as reader:
        for frame in reader:
            if frame.index == 3:
                break
    reader.close()
    assert not reader.partial


def test_what_is_read_equals_what_libav_decodes(tmp_path):
    path = make_clip(tmp_path / "a.mp4", Clip(size=(322, 182)))
    for frame, (time_s, image) in zip(read(path)[1], read_back(path), strict=True):
        assert frame.time_s == pytest.approx(time_s)
        assert np.array_equal(frame.image, image)


def test_a_text_playlist_cannot_read_other_files(tmp_path):
    """The secret is a real video: if it were opened, its frames would come out."""
    secret = make_clip(tmp_path / "secret.mp4")
    (tmp_path / "secret.ts").write_bytes(make_clip(tmp_path / "s.ts").read_bytes())
    traps = {
        "concat.mp4": f"ffconcat version 1.0\nfile '{secret}'\n",
        "relative.mp4": "ffconcat version 1.0\nfile secret.mp4\n",
        "list.m3u8": f"#EXTM3U\n#EXTINF:1,\n{tmp_path}/secret.ts\n#EXT-X-ENDLIST\n",
        "list.mp4": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.ts\n#EXT-X-ENDLIST\n",
        "dash.mpd": f"<MPD><BaseURL>{secret}</BaseURL></MPD>",
        "sdp.mp4": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n",
        "image%d.mp4": "x",
    }
    for name, text in traps.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(InputError, match="is not a video"):
            open_source(SourceConfig(source=str(tmp_path / name)))


def test_the_trap_would_work_without_the_list_of_formats(tmp_path):
    make_clip(tmp_path / "secret.mp4")
    trap = tmp_path / "concat.mp4"
    trap.write_text("ffconcat version 1.0\nfile secret.mp4\n")
    assert len(read_back(trap)) == 12


@pytest.mark.parametrize("prefix", ["concat:", "subfile,,start,0,end,0,,:", "crypto:", "data:"])
def test_protocols_in_a_path_are_only_names(tmp_path, monkeypatch, prefix):
    make_clip(tmp_path / "secret.mp4")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="does not exist"):
        open_source(SourceConfig(source=f"{prefix}secret.mp4"))
    (tmp_path / f"{prefix}secret.mp4").write_bytes((tmp_path / "secret.mp4").read_bytes())
    assert len(read(f"{prefix}secret.mp4")[1]) == 12


def test_numbered_pictures_can_be_told_apart():
    assert [number_of(numbered(index)) for index in range(36)] == list(range(36))
