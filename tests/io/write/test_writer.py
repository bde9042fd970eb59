"""The video that is written: pictures, times, sound, and what remains when things go wrong."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import textwrap
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from helpers.clips import Clip, corners, make_clip, number_of, numbered, read_back
from helpers.places import ASSETS
from mot_dinov3.config import SourceConfig
from mot_dinov3.errors import EXIT_OUTPUT, OutputError
from mot_dinov3.io.read.sources import open_source
from mot_dinov3.io.write import encoders, encoding
from mot_dinov3.io.write.audio import AudioCopy
from mot_dinov3.io.write.writer import QUEUE_FRAMES, VideoWriter, VideoWriterConfig


def write(path, frames=12, size=(64, 48), times=None, **config):
    with VideoWriter(VideoWriterConfig(Path(path), config.pop("fps", 25.0), **config)) as writer:
        for index in range(frames):
            time_s = times[index] if times else index / 25
            writer.write(numbered(index, *size), time_s)
    return writer


def readable(path):
    """The frames that can be had from a file whose last bytes are missing."""
    with open_source(SourceConfig(source=str(path))) as reader:
        return list(reader)


def leftovers(directory):
    return sorted(file.name for file in directory.iterdir() if ".partial" in file.name)


@pytest.mark.parametrize(
    ("suffix", "codec", "decoder"),
    [
        (".mp4", "libx264", "h264"),
        (".m4v", "libx264", "h264"),
        (".mov", "libx264", "h264"),
        (".mkv", "libx264", "h264"),
        (".webm", "libvpx-vp9", "vp9"),
        (".avi", "mpeg4", "mpeg4"),
        (".MP4", "libx264", "h264"),
    ],
)
def test_the_suffix_chooses_the_format(tmp_path, suffix, codec, decoder):
    path = tmp_path / f"out{suffix}"
    writer = write(path)
    assert (writer.codec, writer.frames, writer.written) == (codec, 12, path)
    assert len(writer.encode_ms) == len(writer.queue_wait_ms) == 12
    frames = read_back(path)
    assert len(frames) == 12
    assert [time_s for time_s, _ in frames] == pytest.approx([i / 25 for i in range(12)], abs=1e-3)
    assert corners(frames[-1][1]) == "RGBW"
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        assert (context.name.removeprefix("lib").split("-")[0]) in (decoder, "vpx")
        assert context.pix_fmt == "yuv420p"
    assert leftovers(tmp_path) == []


def test_an_mp4_is_what_browsers_play(tmp_path):
    write(tmp_path / "out.mp4", frames=60)
    with av.open(str(tmp_path / "out.mp4")) as container:
        stream = container.streams.video[0]
        assert container.format.name.startswith("mov,mp4")
        assert stream.codec_context.profile in ("High", "Main", "Constrained Baseline")
        assert (stream.time_base.denominator, stream.start_time) == (90_000, 0)
        assert float(stream.average_rate) == pytest.approx(25)
        assert stream.frames == 60
        assert stream.codec_context.color_range == 1
        packets = [packet for packet in container.demux(stream) if packet.size]
    assert all(packet.pts == packet.dts for packet in packets)
    assert outer_boxes(tmp_path / "out.mp4") == [b"ftyp", b"free", b"mdat", b"moov"]


def outer_boxes(path):
    data, kinds = path.read_bytes(), []
    while data:
        kinds.append(data[4:8])
        data = data[int.from_bytes(data[:4], "big") :]
    return kinds


def test_odd_sizes_are_padded_by_their_edge(tmp_path):
    write(tmp_path / "out.mp4", size=(63, 47))
    frames = read_back(tmp_path / "out.mp4")
    assert frames[0][1].shape == (48, 64, 3)
    last = frames[5][1].astype(int)
    assert np.abs(last[:, 63] - last[:, 62]).mean() < 6
    assert np.abs(last[47] - last[46]).mean() < 6


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (3, 5), (16, 2), (1920, 8)])
def test_tiny_pictures_are_written(tmp_path, size):
    write(tmp_path / "out.mp4", size=(max(size[0], 4), max(size[1], 4)), frames=2)
    with VideoWriter(VideoWriterConfig(tmp_path / "b.mp4", 25.0)) as writer:
        writer.write(np.full((size[1], size[0], 3), 90, np.uint8), 0.0)
    assert len(read_back(tmp_path / "b.mp4")) == 1


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
def test_uneven_times_survive(tmp_path, suffix):
    times = [0.0, 0.033, 0.05, 0.9, 0.91, 3.0, 3.001, 7.25]
    write(tmp_path / f"out{suffix}", frames=8, times=times)
    back = [time_s for time_s, _ in read_back(tmp_path / f"out{suffix}")]
    assert back == pytest.approx(times, abs=1e-5 if suffix == ".mp4" else 1e-3)
    with open_source(SourceConfig(source=str(tmp_path / f"out{suffix}"))) as reader:
        assert [frame.time_s for frame in reader] == pytest.approx(times, abs=1e-3)
    assert not reader.faults


def test_times_are_counted_from_the_first_frame_and_never_stand_still(tmp_path):
    write(tmp_path / "out.mp4", frames=5, times=[9.0, 9.04, 9.04, 9.0, 9.5])
    back = [time_s for time_s, _ in read_back(tmp_path / "out.mp4")]
    assert back[0] == 0
    assert back[-1] == pytest.approx(0.5)
    assert np.all(np.diff(back) > 0)


def test_the_last_frame_is_shown_as_long_as_the_rate_says(tmp_path):
    write(tmp_path / "out.mp4", frames=10, fps=12.5, times=[i / 12.5 for i in range(10)])
    with av.open(str(tmp_path / "out.mp4")) as container:
        stream = container.streams.video[0]
        assert float(stream.duration * stream.time_base) == pytest.approx(0.8)
        assert float(stream.average_rate) == pytest.approx(12.5)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_pause_before_the_last_frame_does_not_make_it_longer(tmp_path, suffix):
    write(tmp_path / f"out{suffix}", frames=4, times=[0.0, 0.04, 0.08, 3.0])
    with av.open(str(tmp_path / f"out{suffix}")) as container:
        assert container.duration / av.time_base == pytest.approx(3.04, abs=2e-3)


@pytest.mark.parametrize("size", [(64, 64), (768, 432), (1280, 720)])
def test_colours_come_back_as_they_went(tmp_path, size):
    colours = [(0, 0, 255), (0, 255, 0), (255, 0, 0), (0, 0, 0), (255, 255, 255), (128, 128, 128),
               (200, 30, 90), (20, 180, 240)]  # fmt: skip
    with VideoWriter(VideoWriterConfig(tmp_path / "out.mp4", 25.0)) as writer:
        for index, colour in enumerate(colours):
            writer.write(np.full((size[1], size[0], 3), colour, np.uint8), index / 25)
    with open_source(SourceConfig(source=str(tmp_path / "out.mp4"))) as reader:
        back = [frame.image[size[1] // 2, size[0] // 2].astype(int) for frame in reader]
    assert np.abs(np.array(back) - colours).max() <= 6
    with av.open(str(tmp_path / "out.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert context.colorspace == (1 if size[1] >= 720 else 6)
        assert (context.color_primaries, context.color_trc) == (1, 1)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".avi"])
@pytest.mark.parametrize("aspect", [(64, 45), (1, 2), (1, 1)])
def test_oblong_pixels_stay_oblong(tmp_path, suffix, aspect):
    path = tmp_path / f"out{suffix}"
    with VideoWriter(VideoWriterConfig(path, 25.0, pixel_aspect=Fraction(*aspect))) as writer:
        for index in range(3):
            writer.write(numbered(index), index / 25)
    with open_source(SourceConfig(source=str(path))) as reader:
        assert reader.info.pixel_aspect == Fraction(*aspect)


def test_a_picture_is_neither_copied_nor_changed(tmp_path, monkeypatch):
    taken, add = [], encoding.Encoding.add
    monkeypatch.setattr(
        encoding.Encoding,
        "add",
        lambda self, image, time_s: (taken.append(image), add(self, image, time_s)),
    )
    pictures = [numbered(index) for index in range(3)]
    with VideoWriter(VideoWriterConfig(tmp_path / "out.mp4", 25.0)) as writer:
        for index, picture in enumerate(pictures):
            writer.write(picture, index / 25)
    assert [image is picture for image, picture in zip(taken, pictures, strict=True)] == [True] * 3
    assert all((picture == numbered(n)).all() for n, picture in enumerate(pictures))


def test_views_of_larger_pictures_are_written(tmp_path):
    wide = np.ascontiguousarray(np.hstack([numbered(3), numbered(9)]))
    with VideoWriter(VideoWriterConfig(tmp_path / "out.mp4", 25.0)) as writer:
        writer.write(wide[:, :64], 0.0)
        writer.write(wide[::-1, 64:], 0.04)
    images = [image for _, image in read_back(tmp_path / "out.mp4")]
    assert [number_of(image) for image in images] == [3, 9]
    assert [corners(image) for image in images] == ["RGBW", "BWRG"]


def test_a_frame_of_another_size_is_fitted_into_the_first(tmp_path):
    with VideoWriter(VideoWriterConfig(tmp_path / "out.mp4", 25.0)) as writer:
        writer.write(numbered(0), 0.0)
        writer.write(numbered(1, 128, 96), 0.04)
        writer.write(numbered(2, 48, 64), 0.08)
    images = [image for _, image in read_back(tmp_path / "out.mp4")]
    assert {image.shape for image in images} == {(48, 64, 3)}
    assert corners(images[1]) == "RGBW"
    assert images[2][:, :10].max() < 20


def test_nothing_written_leaves_nothing(tmp_path):
    writer = write(tmp_path / "out.mp4", frames=0)
    assert writer.written is None
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_gives_way_only_at_the_end(tmp_path):
    path = tmp_path / "out.mp4"
    path.write_bytes(b"older result")
    with VideoWriter(VideoWriterConfig(path, 25.0)) as writer:
        for index in range(40):
            writer.write(numbered(index), index / 25)
        assert path.read_bytes() == b"older result"
    assert len(read_back(path)) == 40


def test_without_replace_a_name_taken_meanwhile_is_respected(tmp_path):
    path = tmp_path / "out.mp4"
    writer = VideoWriter(VideoWriterConfig(path, 25.0, replace=False)).__enter__()
    writer.write(numbered(0), 0.0)
    path.write_bytes(b"somebody else's")
    with pytest.raises(OutputError, match="appeared"):
        writer.close()
    assert path.read_bytes() == b"somebody else's"
    assert len(read_back(tmp_path / "out.partial.mp4")) == 1


def test_a_partial_file_of_an_earlier_run_is_never_touched(tmp_path):
    (tmp_path / "out.partial.mp4").write_bytes(b"all that is left of it")
    write(tmp_path / "out.mp4")
    assert (tmp_path / "out.partial.mp4").read_bytes() == b"all that is left of it"
    assert len(read_back(tmp_path / "out.mp4")) == 12
    assert leftovers(tmp_path) == ["out.partial.mp4"]


def test_a_link_is_followed(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "out.mp4").symlink_to(tmp_path / "real" / "kept.mp4")
    write(tmp_path / "out.mp4")
    assert (tmp_path / "out.mp4").is_symlink()
    assert len(read_back(tmp_path / "real" / "kept.mp4")) == 12


@pytest.mark.parametrize("problem", [RuntimeError, KeyboardInterrupt])
def test_after_an_exception_the_file_is_finished_and_kept(tmp_path, problem):
    def run():
        with VideoWriter(VideoWriterConfig(tmp_path / "out.mp4", 25.0)) as writer:
            for index in range(7):
                writer.write(numbered(index), index / 25)
            raise problem

    with pytest.raises(problem):
        run()
    assert len(read_back(tmp_path / "out.mp4")) == 7
    assert leftovers(tmp_path) == []


def test_a_failure_on_the_way_out_does_not_hide_the_first_one(tmp_path, monkeypatch):
    def run():
        with VideoWriter(VideoWriterConfig(tmp_path / "out.mp4", 25.0)) as writer:
            writer.write(numbered(0), 0.0)
            raise RuntimeError("the first")

    def fail(self):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(encoding.Encoding, "finish", fail)
    with pytest.raises(RuntimeError, match="the first") as caught:
        run()
    assert "No space left" in "".join(caught.value.__notes__)
    assert not (tmp_path / "out.mp4").exists()


def test_directories_are_made(tmp_path):
    write(tmp_path / "a" / "b" / "out.mp4")
    assert len(read_back(tmp_path / "a" / "b" / "out.mp4")) == 12


@pytest.mark.parametrize("name", ["out.xyz", "out", "out.txt", "out.jpg"])
def test_an_unknown_suffix_is_refused_at_once(tmp_path, name):
    with pytest.raises(OutputError) as caught:
        VideoWriter(VideoWriterConfig(tmp_path / name, 25.0))
    assert name in caught.value.what
    assert ".mp4, " in caught.value.fix
    assert caught.value.exit_code == EXIT_OUTPUT


def test_a_parent_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    writer = VideoWriter(VideoWriterConfig(tmp_path / "file" / "out.mp4", 25.0))
    with pytest.raises(OutputError, match="Cannot write"):
        writer.__enter__()


def test_writing_outside_the_context_is_a_bug(tmp_path):
    writer = VideoWriter(VideoWriterConfig(tmp_path / "out.mp4", 25.0))
    with pytest.raises(ValueError, match="outside"):
        writer.write(numbered(0), 0.0)


@pytest.mark.parametrize(
    ("missing", "codec"),
    [
        ({"libx264"}, "libvpx-vp9"),
        ({"libx264", "libvpx-vp9"}, "mpeg4"),
    ],
)
def test_a_build_without_an_encoder_uses_the_next(tmp_path, monkeypatch, missing, codec):
    without = {
        name: encoders.Encoder(f"missing-{name}") if name in missing else encoder
        for name, encoder in encoders.ENCODERS.items()
    }
    monkeypatch.setattr(encoding, "ENCODERS", without)
    writer = write(tmp_path / "out.mp4")
    assert writer.codec == codec
    frames = read_back(tmp_path / "out.mp4")
    assert [time_s for time_s, _ in frames] == pytest.approx([i / 25 for i in range(12)], abs=1e-4)
    assert corners(frames[3][1]) == "RGBW"


def test_a_build_without_any_encoder_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(
        encoding, "ENCODERS", dict.fromkeys(encoders.ENCODERS, encoders.Encoder("none"))
    )
    with pytest.raises(OutputError, match="No video encoder"):
        write(tmp_path / "out.mp4", frames=3)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_in_the_thread_reaches_the_next_write_and_blocks_nobody(tmp_path, monkeypatch):
    tries = []

    def fail(self, image, time_s):
        tries.append(time_s)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(encoding.Encoding, "add", fail)
    started = time.monotonic()
    with pytest.raises(OutputError, match="No space left") as caught:
        write(tmp_path / "out.mp4", frames=QUEUE_FRAMES * 5)
    assert caught.value.exit_code == EXIT_OUTPUT
    assert time.monotonic() - started < 20
    assert tries == [0.0]
    assert not (tmp_path / "out.mp4").exists()


def sound_of(path):
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(audio=0) if packet.size]
        times = [float(packet.pts * packet.time_base) for packet in packets]
        return container.streams.audio[0].codec_context.name, times, [bytes(p) for p in packets]


@pytest.mark.parametrize(
    ("source", "target"),
    [("a.mp4", "out.mp4"), ("a.mkv", "out.mkv"), ("a.mp4", "out.mov"), ("a.ts", "out.mkv")],
)
def test_sound_is_copied_as_it_is(tmp_path, source, target):
    clip = make_clip(tmp_path / source, Clip(frames=50, audio="aac"))
    writer = write(tmp_path / target, frames=50, audio_from=clip)
    assert writer.notice == ""
    assert not writer.faults
    name, times, packets = sound_of(tmp_path / target)
    assert name == "aac"
    _, _, original = sound_of(clip)
    assert times[0] < 0.05
    assert times[-1] == pytest.approx(2.0, abs=0.06)
    if source != "a.ts":
        assert packets == original[len(original) - len(packets) :][: len(packets)] or set(
            packets
        ) <= set(original)
    assert len(packets) >= len(original) - 4
    assert len(read_back(tmp_path / target)) == 50


def test_sound_from_a_transport_stream_goes_into_mp4_or_is_left_out_in_words(tmp_path):
    clip = make_clip(tmp_path / "a.ts", Clip(frames=50, audio="aac"))
    writer = write(tmp_path / "out.mp4", frames=50, audio_from=clip)
    assert len(read_back(tmp_path / "out.mp4")) == 50
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert bool(container.streams.audio) != bool(writer.notice)


def test_sound_is_interleaved_with_the_pictures(tmp_path):
    clip = make_clip(tmp_path / "a.mp4", Clip(frames=100, audio="aac"))
    write(tmp_path / "out.mp4", frames=100, audio_from=clip)
    with av.open(str(tmp_path / "out.mp4")) as container:
        latest = {"video": 0.0, "audio": 0.0}
        for packet in container.demux():
            if packet.size:
                latest[packet.stream.type] = float(packet.pts * packet.time_base)
                assert abs(latest["video"] - latest["audio"]) < 0.5


def test_sound_keeps_its_place_when_the_pictures_start_late(tmp_path):
    times = tuple(1.0 + i / 25 for i in range(50))
    clip = make_clip(tmp_path / "a.mkv", Clip(frames=50, times=times, audio="aac"))
    write(tmp_path / "out.mkv", frames=50, audio_from=clip)
    _, _, original = sound_of(clip)
    _, times_out, packets = sound_of(tmp_path / "out.mkv")
    _, times_in, _ = sound_of(clip)
    first = original.index(packets[3])
    assert times_in[first] - times_out[3] == pytest.approx(1.0, abs=0.03)


def test_sound_that_the_format_refuses_is_left_out_in_words(tmp_path):
    clip = make_clip(tmp_path / "a.mp4", Clip(frames=25, audio="aac"))
    writer = write(tmp_path / "out.webm", frames=25, audio_from=clip)
    assert "does not go into '.webm'" in writer.notice
    assert writer.faults == {"audio_dropped": 1}
    assert len(read_back(tmp_path / "out.webm")) == 25


def test_a_source_without_sound_or_out_of_reach_is_no_trouble(tmp_path):
    silent = make_clip(tmp_path / "silent.mp4")
    assert write(tmp_path / "out.mp4", audio_from=silent).notice == ""
    writer = write(tmp_path / "b.mp4", audio_from=tmp_path / "gone.mp4")
    assert writer.notice
    assert len(read_back(tmp_path / "b.mp4")) == 12


def test_broken_sound_never_costs_the_pictures(tmp_path):
    clip = make_clip(tmp_path / "a.mp4", Clip(frames=50, audio="aac"))
    whole = clip.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(6):
        data = bytearray(whole)
        for place in rng.integers(40, len(data), 40):
            data[place] ^= 0xFF
        clip.write_bytes(data)
        write(tmp_path / "out.mp4", frames=50, audio_from=clip)
        assert len(read_back(tmp_path / "out.mp4")) == 50


def test_a_real_clip_keeps_its_sound_and_times(tmp_path):
    path = ASSETS / "videos" / "car-detection.mp4"
    if not path.is_file():
        pytest.skip(f"{path} is not here")
    with open_source(SourceConfig(source=str(path), end_frame=99)) as reader:
        config = VideoWriterConfig(tmp_path / "out.mp4", reader.info.fps, path)
        with VideoWriter(config) as writer:
            for frame in reader:
                writer.write(frame.image, frame.time_s)
    assert not writer.notice
    times = [time_s for time_s, _ in read_back(tmp_path / "out.mp4")]
    assert times == pytest.approx([index / 12.5 for index in range(100)])
    name, sound_s, packets = sound_of(tmp_path / "out.mp4")
    assert name == "aac"
    assert packets == sound_of(path)[2][: len(packets)]
    assert sound_s[-1] == pytest.approx(8.0, abs=0.05)


@pytest.mark.parametrize("trouble", [av.InvalidDataError(1, "bad"), av.error.OSError(28, "full")])
def test_trouble_with_sound_is_told_from_trouble_with_the_disk(tmp_path, trouble):
    class Refusing:
        def add_stream_from_template(self, template):
            return template

        def mux(self, packet):
            raise trouble

    sound = AudioCopy(make_clip(tmp_path / "a.mp4", Clip(frames=25, audio="aac")))
    sound.attach(Refusing())
    if isinstance(trouble, OSError):
        with pytest.raises(OSError, match="full"):
            sound.mux_until(Refusing(), 1.0)
        assert not sound.notice
    else:
        sound.mux_until(Refusing(), 1.0)
        assert "damaged" in sound.notice
    sound.close()


WRITE_FOR_EVER = """
    import sys; sys.path[:] = eval(sys.argv[1])
    from pathlib import Path
    from helpers.clips import numbered
    from mot_dinov3.io.write.writer import VideoWriter, VideoWriterConfig
    fps = float(sys.argv[3])
    audio = Path(sys.argv[4]) if len(sys.argv) > 4 else None
    with VideoWriter(VideoWriterConfig(Path(sys.argv[2]), fps, audio)) as writer:
        for index in range(100000):
            writer.write(numbered(index, 320, 240), index / fps)
            print(index, flush=True)
"""


def start_writing(*arguments):
    code = textwrap.dedent(WRITE_FOR_EVER)
    return subprocess.Popen(
        [sys.executable, "-c", code, repr(sys.path), *map(str, arguments)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


MOST_LOST = 15


@pytest.mark.parametrize("fps", [25, 60])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm", ".avi"])
def test_a_killed_run_leaves_a_file_that_plays(tmp_path, suffix, fps):
    process = start_writing(tmp_path / f"out{suffix}", fps)
    written = 0
    for line in process.stdout:
        written = int(line) + 1
        if written >= 100:
            process.send_signal(signal.SIGKILL)
            break
    process.wait(timeout=30)
    process.stdout.close()
    assert not (tmp_path / f"out{suffix}").exists()
    frames = read_back(tmp_path / f"out.partial{suffix}")
    assert written - MOST_LOST <= len(frames)
    assert [number_of(image) for _, image in frames[:30]] == list(range(30))
    with open_source(SourceConfig(source=str(tmp_path / f"out.partial{suffix}"))) as reader:
        assert len(list(reader)) == len(frames)


def test_a_killed_run_with_sound_leaves_both(tmp_path):
    clip = make_clip(tmp_path / "a.mp4", Clip(frames=100, audio="aac"))
    process = start_writing(tmp_path / "out.mp4", 25, clip)
    for line in process.stdout:
        if int(line) >= 200:
            process.kill()
            break
    process.wait(timeout=30)
    process.stdout.close()
    # The sound ended at 4 s: the pictures after it must reach the disk all the same.
    assert len(read_back(tmp_path / "out.partial.mp4")) >= 200 - MOST_LOST
    assert len(sound_of(tmp_path / "out.partial.mp4")[1]) > 150


def test_a_full_disk_is_an_output_error_and_what_fits_is_kept(tmp_path):
    """A limit on the size of files stands for the full disk; SIGXFSZ is ignored for that."""
    code = textwrap.dedent("""
        import sys; sys.path[:] = eval(sys.argv[1])
        from pathlib import Path
        import numpy as np
        from mot_dinov3.errors import OutputError
        from mot_dinov3.io.write.writer import VideoWriter, VideoWriterConfig
        rng = np.random.default_rng(0)
        try:
            with VideoWriter(VideoWriterConfig(Path(sys.argv[2]), 25.0)) as writer:
                for index in range(200):
                    writer.write(rng.integers(0, 255, (240, 320, 3), np.uint8), index / 25)
        except OutputError as error:
            print("REFUSED", index, error.what)
    """)

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))

    done = subprocess.run(
        [sys.executable, "-c", code, repr(sys.path), str(tmp_path / "out.mp4")],
        capture_output=True, text=True, timeout=120, check=False, preexec_fn=limit,
    )  # fmt: skip
    assert "REFUSED" in done.stdout, done.stderr
    assert "File too large" in done.stdout
    assert "Traceback" not in done.stderr
    assert int(done.stdout.split()[1]) < 199
    assert not (tmp_path / "out.mp4").exists()
    assert len(readable(tmp_path / "out.partial.mp4")) >= 3


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_a_really_full_disk(tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(small)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this system lets nobody mount")
    try:
        rng = np.random.default_rng(0)
        writer = VideoWriter(VideoWriterConfig(small / "out.mp4", 25.0)).__enter__()
        noise = [rng.integers(0, 255, (240, 320, 3), np.uint8) for _ in range(300)]
        with pytest.raises(OutputError, match="No space left") as caught:
            [writer.write(image, index / 25) for index, image in enumerate(noise)]
        assert "room" in caught.value.fix
        with pytest.raises(OutputError):
            writer.close()
        assert len(readable(small / "out.partial.mp4")) >= 2
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_memory_does_not_grow_with_the_length_of_the_queue(tmp_path, monkeypatch):
    """A slow encoder makes `write` wait: at most the queue is held."""
    slow = encoding.Encoding.add
    monkeypatch.setattr(
        encoding.Encoding, "add", lambda self, *item: (time.sleep(0.01), slow(self, *item))
    )
    writer = write(tmp_path / "out.mp4", frames=30)
    assert writer.queue_wait_ms.most > 3
    assert writer.encode_ms.quantiles([0.5]) > 9
