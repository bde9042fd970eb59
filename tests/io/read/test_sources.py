"""What `open_source` makes of everything a user may type, and of files that are not right."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import pytest

from helpers.clips import Clip, make_clip, number_of, numbered
from helpers.places import ASSETS
from mot_dinov3.config import SourceConfig
from mot_dinov3.errors import EXIT_INPUT, InputError
from mot_dinov3.io.containers import printable_name
from mot_dinov3.io.read.images import natural_key
from mot_dinov3.io.read.sources import count_selected, open_source


def read(source, **selection):
    with open_source(SourceConfig(source=str(source), **selection)) as reader:
        return reader, list(reader)


def refusal(source):
    with pytest.raises(InputError) as caught:
        open_source(SourceConfig(source=str(source)))
    error = caught.value
    assert error.exit_code == EXIT_INPUT
    assert error.fix
    assert error.what.endswith(".")
    assert "\n" not in error.what
    return error


def write_images(directory, names, size=(64, 48)):
    directory.mkdir(parents=True, exist_ok=True)
    for index, name in enumerate(names):
        cv2.imwrite(str(directory / name), numbered(index, *size))
    return directory


def test_a_plain_video_gives_its_frames_in_order(tmp_path):
    reader, frames = read(make_clip(tmp_path / "a.mp4"))
    info = reader.info
    assert (info.width, info.height, info.fps, info.frame_count) == (64, 48, 25.0, 12)
    assert info.path == tmp_path / "a.mp4"
    assert not info.is_live
    assert [frame.index for frame in frames] == list(range(12))
    assert [number_of(frame.image) for frame in frames] == list(range(12))
    assert [frame.time_s for frame in frames] == pytest.approx([i / 25 for i in range(12)])
    assert not reader.faults
    assert not reader.partial


@pytest.mark.parametrize(
    ("selection", "indices"),
    [
        ({"start_frame": 3}, [3, 4, 5, 6, 7, 8, 9, 10, 11]),
        ({"end_frame": 2}, [0, 1, 2]),
        ({"max_frames": 2}, [0, 1]),
        ({"vid_stride": 5}, [0, 5, 10]),
        ({"start_frame": 1, "vid_stride": 4, "end_frame": 9}, [1, 5, 9]),
        ({"start_frame": 2, "vid_stride": 3, "max_frames": 2}, [2, 5]),
    ],
)
def test_the_selection_keeps_source_numbers_and_times(tmp_path, selection, indices):
    clip = make_clip(tmp_path / "a.mp4")
    images = write_images(tmp_path / "images", [f"{i}.png" for i in range(12)])
    for source, fps in ((clip, 25), (images, 30)):
        _, frames = read(source, **selection)
        assert [frame.index for frame in frames] == indices
        assert [number_of(frame.image) for frame in frames] == indices
        assert [frame.time_s for frame in frames] == pytest.approx([i / fps for i in indices])
        config = SourceConfig(source=str(source), **selection)
        assert count_selected(config, 12) == len(indices)


def test_a_start_beyond_the_end_is_an_error_with_the_length(tmp_path):
    clip = make_clip(tmp_path / "a.mp4")
    with pytest.raises(InputError, match="ends after 12 frames"):
        read(clip, start_frame=12)
    images = write_images(tmp_path / "images", ["1.png", "2.png"])
    with pytest.raises(InputError, match="before --start-frame 2"):
        read(images, start_frame=2)


@pytest.mark.parametrize(
    ("config", "frame_count", "expected"),
    [({}, 0, 0), ({"max_frames": 7}, 0, 7), ({"end_frame": 9}, 0, 10), ({"start_frame": 20}, 9, 0)],
)
def test_counting_what_will_be_tracked(config, frame_count, expected):
    assert count_selected(SourceConfig(source="x", **config), frame_count) == expected


def test_directories_are_read_in_natural_order_without_hidden_and_other_files(tmp_path):
    names = ["frame1.png", "frame2.jpg", "frame10.PNG", "frame11.bmp"]
    directory = write_images(tmp_path / "clip", names)
    (directory / ".frame3.png").write_bytes(b"hidden")
    (directory / "notes.txt").write_text("not an image")
    reader, frames = read(directory)
    assert [number_of(frame.image) for frame in frames] == [0, 1, 2, 3]
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    assert reader.info.path is None
    assert not reader.partial


def test_a_glob_is_read_like_a_directory_and_may_name_one_video(tmp_path):
    directory = write_images(tmp_path / "clip", ["a9.png", "a10.png", "b1.png"])
    _, frames = read(directory / "a*.png")
    assert [number_of(frame.image) for frame in frames] == [0, 1]
    make_clip(tmp_path / "only.mp4")
    reader, _ = read(tmp_path / "on*.mp4")
    assert reader.info.path == tmp_path / "only.mp4"
    make_clip(tmp_path / "onto.mp4")
    assert "matches 2 files" in refusal(tmp_path / "on*.mp4").what


def test_one_image_is_a_clip_of_one_frame(tmp_path):
    directory = write_images(tmp_path, ["still.png"])
    _, frames = read(directory / "still.png")
    assert [frame.index for frame in frames] == [0]


def mot_sequence(directory, numbers, ini="[Sequence]\nimDir=img1\nframeRate=14\nimExt=.jpg\n"):
    write_images(directory / "img1", [f"{number:06d}.jpg" for number in numbers])
    (directory / "seqinfo.ini").write_text(ini)
    return directory


def test_a_mot_sequence_takes_index_and_rate_from_its_files(tmp_path):
    directory = mot_sequence(tmp_path / "MOT17-99", [1, 2, 5])
    (directory / "img1" / "000003.png").write_bytes(b"another extension is no frame of it")
    for source in (directory, directory / "img1"):
        reader, frames = read(source)
        assert [frame.index for frame in frames] == [0, 1, 4]
        assert [frame.time_s for frame in frames] == pytest.approx([0, 1 / 14, 4 / 14])
        assert (reader.info.fps, reader.info.frame_count) == (14.0, 5)


@pytest.mark.parametrize("suffix", [".jpg", "jpg", ".JPG", "JPG", "*.jpg", " .jpg ", "", None])
def test_the_suffix_of_a_sequence_is_understood_however_it_is_written(tmp_path, suffix):
    line = "" if suffix is None else f"imExt={suffix}\n"
    directory = mot_sequence(tmp_path / "s", [1, 2], ini=f"[Sequence]\nframeRate=14\n{line}")
    assert len(read(directory)[1]) == 2
    (directory / "img1/000002.jpg").rename(directory / "img1/000002.JPG")
    assert len(read(directory)[1]) == 2


def test_a_suffix_that_fits_nothing_is_named_with_what_is_there(tmp_path):
    directory = mot_sequence(tmp_path / "s", [1, 2], ini="[Sequence]\nimExt=png\n")
    error = refusal(directory)
    assert (
        error.what
        == f"'{directory}/seqinfo.ini' says imExt=png, but the images in 'img1' end in .jpg."
    )
    assert error.fix == "Set imExt=.jpg in it."


def test_a_broken_seqinfo_is_explained(tmp_path):
    directory = mot_sequence(tmp_path / "a", [1], ini="no section")
    assert "seqinfo.ini" in refusal(directory).what
    directory = mot_sequence(tmp_path / "b", [1], ini="[Sequence]\nimDir=../a/img1\n")
    assert "not there" in refusal(directory).what
    odd = mot_sequence(tmp_path / "c", [1, 2], ini="[Sequence]\nframeRate=fast\n")
    assert read(odd)[0].info.fps == 30.0


def test_unreadable_images_are_counted_and_left_out(tmp_path):
    directory = write_images(tmp_path / "clip", [f"{i}.jpg" for i in range(6)])
    whole = (directory / "2.jpg").read_bytes()
    (directory / "2.jpg").write_bytes(whole[: len(whole) // 2])
    (directory / "4.jpg").write_bytes(b"")
    reader, frames = read(directory)
    assert [frame.index for frame in frames] == [0, 1, 3, 5]
    assert reader.faults == {"unreadable_images": 2}
    assert reader.partial


def test_a_cut_png_is_not_taken_for_a_whole_one(tmp_path):
    directory = write_images(tmp_path / "clip", ["1.png", "2.png"], size=(640, 480))
    whole = (directory / "2.png").read_bytes()
    (directory / "2.png").write_bytes(whole[: len(whole) * 3 // 4])
    assert read(directory)[0].faults == {"unreadable_images": 1}


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_a_cut_image_counts_even_where_the_decoder_fills_it_with_grey(
    tmp_path, monkeypatch, suffix
):
    directory = write_images(tmp_path / "clip", [f"1{suffix}", f"2{suffix}"])
    whole = (directory / f"2{suffix}").read_bytes()
    (directory / f"2{suffix}").write_bytes(whole[:-20])
    monkeypatch.setattr(cv2, "imdecode", lambda data, flags: numbered(0))
    reader, frames = read(directory)
    assert len(frames) == 1
    assert reader.faults == {"unreadable_images": 1}


def test_images_of_another_size_are_fitted_into_the_first(tmp_path):
    directory = write_images(tmp_path / "clip", ["1.png", "2.png"])
    cv2.imwrite(str(directory / "3.png"), numbered(2, 48, 64))
    reader, frames = read(directory)
    assert {frame.image.shape for frame in frames} == {(48, 64, 3)}
    assert reader.faults == {"size_changes": 1}
    assert not reader.partial
    assert frames[2].image[:, :10].max() == 0
    assert frames[2].image[24, 32].min() > 20


def test_a_directory_without_images_says_so(tmp_path):
    (tmp_path / "empty").mkdir()
    assert "has no images" in refusal(tmp_path / "empty").what
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.jpg").write_bytes(b"no jpeg")
    assert "None of the 1 image of" in refusal(tmp_path / "broken").what


def test_a_missing_path_offers_what_is_near_it(tmp_path):
    make_clip(tmp_path / "people.mp4")
    error = refusal(tmp_path / "poeple.mp4")
    assert "does not exist" in error.what
    assert error.fix == f"Did you mean '{tmp_path / 'people.mp4'}'?"
    assert "has no directory 'no'" in refusal(tmp_path / "no" / "where.mp4").fix
    assert "Nothing matches" in refusal(tmp_path / "*.avi").what
    refusal("")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("empty.mp4", b"", "is empty"),
        ("text.mp4", b"just some words\n" * 50, "is not a video"),
        ("noise.mkv", bytes(range(256)) * 64, "is not a video"),
        ("page.mp4", b"<html><body>404 not found</body></html>", "is not a video"),
    ],
)
def test_files_that_are_no_videos(tmp_path, name, content, says):
    (tmp_path / name).write_bytes(content)
    error = refusal(tmp_path / name)
    assert says in error.what
    assert name in error.what


def test_a_file_with_sound_only(tmp_path):
    path = make_clip(tmp_path / "song.mp4", Clip(video=False, audio="aac", frames=25))
    assert "has no video stream" in refusal(path).what


def test_something_that_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    assert "not a regular file" in refusal(tmp_path / "pipe.mp4").what


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs POSIX permissions")
def test_a_file_that_may_not_be_read(tmp_path):
    path = make_clip(tmp_path / "secret.mp4")
    path.chmod(0)
    if os.geteuid() != 0:
        assert "may not be read" in refusal(path).what
        return
    for directory in [tmp_path, *tmp_path.parents]:
        if directory.stat().st_uid == 0 and directory.is_relative_to(tempfile.gettempdir()):
            directory.chmod(directory.stat().st_mode | 0o011)
    code = (
        "import os, sys; sys.path[:] = eval(sys.argv[1])\n"
        "from mot_dinov3.config import SourceConfig\n"
        "from mot_dinov3.errors import InputError\n"
        "from mot_dinov3.io.read.sources import open_source\n"
        "os.setuid(65534)\n"
        "try: open_source(SourceConfig(source=sys.argv[2]))\n"
        "except InputError as error: print(error.what)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, repr(sys.path), str(path)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert "may not be read" in done.stdout, done.stderr


def test_a_webcam_that_is_not_there():
    error = refusal("97")
    assert "Webcam 97" in error.what


def test_a_digit_that_is_a_file_is_a_file(tmp_path, monkeypatch):
    make_clip(tmp_path / "a.mp4").rename(tmp_path / "7")
    monkeypatch.chdir(tmp_path)
    assert len(read("7")[1]) == 12


def test_messages_and_names_never_show_credentials():
    url = "rtsp://bob:hunter2@127.0.0.1:9/live?token=s3cret"
    error = refusal(url)
    shown = f"{error} {error!r} {error.__cause__!r}"
    assert "127.0.0.1:9/live" in error.what
    assert not any(secret in shown for secret in ("bob", "hunter2", "s3cret"))
    assert error.__suppress_context__
    assert printable_name(url) == "rtsp://127.0.0.1:9/live?..."
    assert printable_name("http://u:p@ss@host/x") == "http://host/x"
    assert printable_name("rtsp://u:p@[fe80/x?k=1") == "rtsp://..."
    assert "pw" not in refusal("gopher://me:pw@host/x").what


def test_names_are_safe_to_print():
    assert printable_name("a\x1b[31m\n\udcffb.mp4").isprintable()


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("one-by-one-person-detection.mp4", 1394),
        ("car-detection.mp4", 377),
        ("people-walking.mp4", 314),
        ("pedestrians.mp4", 341),
        ("oneperson.mp4", 442),
    ],
)
def test_real_clips_have_the_frames_they_are_known_to_have(name, count):
    path = ASSETS / "videos" / name
    if not path.is_file():
        pytest.skip(f"{path} is not here")
    with open_source(SourceConfig(source=str(path))) as reader:
        last = None
        for frame in reader:
            assert last is None or frame.time_s > last.time_s
            last = frame
    assert last.index + 1 == count
    assert not reader.faults
    assert not reader.partial


def test_a_real_mot_sequence():
    path = ASSETS / "mot17-mini" / "MOT17-04-FRCNN"
    if not path.is_dir():
        pytest.skip(f"{path} is not here")
    reader, frames = read(path)
    assert [frame.index for frame in frames] == list(range(8))
    assert reader.info.fps == 30.0
    assert (reader.info.width, reader.info.height) == (1920, 1080)


def test_a_directory_of_videos_is_told_from_a_directory_of_frames(tmp_path):
    make_clip(tmp_path / "a.mp4", Clip(frames=2))
    error = refusal(tmp_path)
    assert "holds videos, such as 'a.mp4', and no images" in error.what
    assert "--each" in error.fix
    write_images(tmp_path, ["1.png"])
    assert len(read(tmp_path)[1]) == 1


def test_a_sequence_that_is_kept_as_a_video_names_it(tmp_path):
    """`cli.py synth` writes such directories."""
    directory = mot_sequence(tmp_path / "street", [1])
    make_clip(directory / "street.mp4", Clip(frames=2))
    assert len(read(directory)[1]) == 1
    shutil.rmtree(directory / "img1")
    error = refusal(directory)
    assert "a sequence without its images" in error.what
    assert error.fix.endswith(f"--source {directory / 'street.mp4'}")


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
@pytest.mark.parametrize("kind", ["directory", "sequence", "glob"])
def test_what_is_not_a_file_among_pictures_is_left_out(tmp_path, make, kind):
    write_images(tmp_path / "s", ["1.png", "3.png"])
    make(tmp_path / "s" / "2.png")
    (tmp_path / "s" / "4.png").mkdir()
    if kind == "sequence":
        (tmp_path / "seqinfo.ini").write_text("[Sequence]\nimDir=s\nimExt=.png\n")
    _, frames = read(tmp_path / "s" / "*.png" if kind == "glob" else tmp_path / "s")
    assert len(frames) == 2


def test_a_picture_of_a_terabyte_is_not_read(tmp_path):
    write_images(tmp_path / "s", ["1.png"])
    (tmp_path / "s" / "2.png").touch()
    os.truncate(tmp_path / "s" / "2.png", 1 << 40)
    reader, frames = read(tmp_path / "s")
    assert len(frames) == 1
    assert reader.counted["unreadable_images"] == 1


def test_digits_that_are_not_decimal_are_letters_of_a_name(tmp_path):
    names = ["a10.png", "a2.png", "1²2.png", "a①.png", "a\u0967\u0966.png", "a\u096f.png"]
    write_images(tmp_path / "s", names)
    _, frames = read(tmp_path / "s")
    assert len(frames) == len(names)
    order = [path.name for path in sorted(map(Path, names), key=natural_key)]
    assert order.index("a2.png") < order.index("a10.png")
    assert order.index("a\u096f.png") < order.index("a\u0967\u0966.png")


@pytest.mark.parametrize("number", [10**7 + 1, 2**63, 10**200])
def test_a_number_that_no_frame_has_is_refused(tmp_path, number):
    write_images(tmp_path / "img1", ["000001.png", f"{number}.png"])
    (tmp_path / "seqinfo.ini").write_text("[Sequence]\nimExt=.png\n")
    assert "has a number that no frame has" in refusal(tmp_path).what
