"""`mot:DIR`: frames of a MOTChallenge sequence, with and without images, and what is refused."""

from __future__ import annotations

import cv2
import pytest

from helpers.clips import number_of, numbered
from helpers.places import ASSETS
from mot_dinov3.config import SourceConfig
from mot_dinov3.errors import EXIT_INPUT, InputError
from mot_dinov3.io.read.sources import count_selected, open_source

GOOD = {"name": "walk", "frameRate": 25, "seqLength": 6, "imWidth": 64, "imHeight": 48}


def sequence(directory, images=0, **keys):
    """A sequence directory; a key that is None is left out."""
    directory.mkdir(exist_ok=True)
    lines = [f"{key}={value}" for key, value in {**GOOD, **keys}.items() if value is not None]
    (directory / "seqinfo.ini").write_text("\n".join(["[Sequence]", *lines]))
    if images:
        (directory / "img1").mkdir()
    for index in range(images):
        cv2.imwrite(str(directory / "img1" / f"{index + 1:06}.png"), numbered(index))
    return directory


def read(directory, **selection):
    with open_source(SourceConfig(source=f"mot:{directory}", **selection)) as reader:
        return reader, list(reader)


def refusal(directory, **selection):
    with pytest.raises(InputError) as caught:
        read(directory, **selection)
    error = caught.value
    assert error.exit_code == EXIT_INPUT
    assert error.fix
    assert error.what.endswith(".")
    assert "\n" not in error.what
    return error.what


def test_frames_without_images_have_a_size_and_a_time_and_take_no_memory(tmp_path):
    reader, frames = read(sequence(tmp_path / "s", imWidth=16_000, imHeight=12_000))
    info = reader.info
    assert (info.name, info.width, info.height) == ("walk", 16_000, 12_000)
    assert (info.fps, info.frame_count, info.has_pixels, info.path) == (25.0, 6, False, None)
    assert [frame.index for frame in frames] == list(range(6))
    assert [frame.time_s for frame in frames] == pytest.approx([i / 25 for i in range(6)])
    assert {frame.image.shape for frame in frames} == {(12_000, 16_000, 3)}
    assert {frame.image.strides for frame in frames} == {(0, 0, 0)}
    assert not frames[0].image.flags.writeable
    assert not reader.faults
    assert not reader.partial


@pytest.mark.parametrize("images", [0, 6])
@pytest.mark.parametrize(
    ("selection", "indices"),
    [
        ({"start_frame": 3}, [3, 4, 5]),
        ({"end_frame": 2}, [0, 1, 2]),
        ({"max_frames": 2}, [0, 1]),
        ({"vid_stride": 4}, [0, 4]),
        ({"start_frame": 1, "vid_stride": 2, "end_frame": 4}, [1, 3]),
        ({"fps": 5.0}, [0, 1, 2, 3, 4, 5]),
    ],
)
def test_the_selection_keeps_numbers_and_times(tmp_path, selection, indices, images):
    directory = sequence(tmp_path / "s", images)
    reader, frames = read(directory, **selection)
    assert [frame.index for frame in frames] == indices
    assert [frame.time_s for frame in frames] == pytest.approx([i / 25 for i in indices])
    assert count_selected(SourceConfig(source="x", **selection), 6) == len(indices)
    assert reader.info.has_pixels == bool(images)


def test_images_are_read_where_they_exist(tmp_path):
    reader, frames = read(sequence(tmp_path / "s", images=6))
    assert reader.info.has_pixels
    assert [number_of(frame.image) for frame in frames] == list(range(6))
    assert not reader.partial


def test_missing_and_broken_images_are_counted_and_their_frames_left_out(tmp_path):
    directory = sequence(tmp_path / "s", images=6)
    (directory / "img1" / "000001.png").unlink()
    (directory / "img1" / "000004.png").write_bytes(b"broken")
    reader, frames = read(directory)
    assert [(frame.index, number_of(frame.image)) for frame in frames] == [
        (1, 1), (2, 2), (4, 4), (5, 5)
    ]  # fmt: skip
    assert [frame.time_s for frame in frames] == pytest.approx([i / 25 for i in (1, 2, 4, 5)])
    assert reader.faults == {"missing_images": 1, "unreadable_images": 1}
    assert reader.partial


def test_fewer_and_more_images_than_frames_are_counted(tmp_path):
    few, frames = read(sequence(tmp_path / "few", images=4))
    assert len(frames) == 4
    assert few.faults == {"missing_images": 2}
    assert few.partial
    many, frames = read(sequence(tmp_path / "many", images=8))
    assert len(frames) == 6
    assert many.faults == {"images_past_end": 2}
    assert not many.partial


def test_an_empty_image_directory_is_no_images(tmp_path):
    directory = sequence(tmp_path / "s")
    (directory / "img1").mkdir()
    assert not read(directory)[0].info.has_pixels


def test_images_outside_the_sequence_are_never_read(tmp_path):
    sequence(tmp_path / "other", images=6)
    reader, _ = read(sequence(tmp_path / "s", imDir="../other/img1"))
    assert not reader.info.has_pixels


def test_the_name_is_safe_to_print_and_falls_back_to_the_directory(tmp_path):
    assert read(sequence(tmp_path / "s", name="a\x1b[31m"))[0].info.name == "a?[31m"
    assert read(sequence(tmp_path / "s", name=None))[0].info.name == "s"


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("frameRate", None, "has no frameRate"),
        ("seqLength", None, "has no seqLength"),
        ("imWidth", None, "has no imWidth"),
        ("imHeight", None, "has no imHeight"),
        ("frameRate", 0, "frameRate must be between 0.01 and 1000, not '0'"),
        ("frameRate", "nan", "frameRate must be"),
        ("frameRate", "fast", "frameRate must be"),
        ("seqLength", 0, "seqLength must be"),
        ("seqLength", -3, "seqLength must be"),
        ("seqLength", "1e99", "seqLength must be"),
        ("seqLength", 2.5, "seqLength must be a whole number, not 2.5"),
        ("seqLength", "9" * 5000, "seqLength must be"),
        ("imWidth", 10**6, "imWidth must be between 1 and 16384"),
        ("imHeight", "inf", "imHeight must be"),
        ("imHeight", "", "imHeight must be"),
    ],
)
def test_a_seqinfo_that_makes_no_sense_names_file_and_key(tmp_path, key, value, says):
    what = refusal(sequence(tmp_path / "s", **{key: value}))
    assert says in what
    assert "seqinfo.ini" in what


@pytest.mark.parametrize(
    "text", [b"", b"no section", b"[Other]\na=1", b"\xff\xfe\x00\x01", b"[Seq"]
)
def test_a_file_that_is_no_seqinfo(tmp_path, text):
    (tmp_path / "seqinfo.ini").write_bytes(text)
    assert "seqinfo.ini" in refusal(tmp_path)


def test_a_directory_that_is_none_or_no_sequence(tmp_path):
    assert "does not exist" in refusal(tmp_path / "gone")
    assert "has no seqinfo.ini" in refusal(tmp_path)
    (tmp_path / "file").write_text("x")
    assert "is not a directory" in refusal(tmp_path / "file")
    assert "names no directory" in refusal("")
    assert refusal("a\0b")


def test_a_start_beyond_the_end(tmp_path):
    assert "ends after 6 frames" in refusal(sequence(tmp_path / "s"), start_frame=6)


def test_images_of_another_size_do_not_fit_the_boxes(tmp_path):
    what = refusal(sequence(tmp_path / "s", images=2, imWidth=1920, imHeight=1080))
    assert "64x48 pixels" in what
    assert "1920x1080" in what


def test_images_that_are_all_broken(tmp_path):
    directory = sequence(tmp_path / "s", images=1)
    (directory / "img1" / "000001.png").write_bytes(b"broken")
    assert "None of the 1 image of" in refusal(directory)


def test_a_plain_directory_without_images_is_told_about_mot(tmp_path):
    directory = sequence(tmp_path / "s")
    with pytest.raises(InputError, match="image directory that is not there") as caught:
        open_source(SourceConfig(source=str(directory)))
    assert f"--source mot:{directory}" in caught.value.fix


def test_a_real_sequence_with_its_images():
    path = ASSETS / "mot17-mini" / "MOT17-05-FRCNN"
    if not path.is_dir():
        pytest.skip(f"{path} is not here")
    reader, frames = read(path)
    assert [frame.index for frame in frames] == list(range(6))
    assert frames[1].time_s == pytest.approx(1 / 14)
    assert (reader.info.width, reader.info.height, reader.info.has_pixels) == (640, 480, True)
    assert not reader.faults
