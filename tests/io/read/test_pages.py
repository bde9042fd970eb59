"""Files that hold several pictures: each is a frame, or it is said that only the first is read."""

from __future__ import annotations

import logging

import cv2
import numpy as np
import pytest

from helpers.clips import number_of, numbered
from mot_dinov3.config import SourceConfig
from mot_dinov3.errors import InputError
from mot_dinov3.io.read.sources import open_source


def read(path, **selection):
    with open_source(SourceConfig(source=str(path), **selection)) as reader:
        return reader, list(reader)


def write_pages(path, count=12, size=(64, 48)):
    cv2.imwritemulti(str(path), [numbered(index, *size) for index in range(count)])
    return path


def write_moving(path, count=20, ms=80):
    animation = cv2.Animation()
    animation.frames = [numbered(index) for index in range(count)]
    animation.durations = np.full(count, ms)
    assert cv2.imwriteanimation(str(path), animation, [cv2.IMWRITE_WEBP_QUALITY, 101])
    return path


def write_trailed(path, index):
    data = cv2.imencode(path.suffix, numbered(index))[1].tobytes()
    path.write_bytes(data + b"MotionPhoto_Data" + b"\xff\xd8\xff\xda\0\x0c" * 99)


def test_each_page_of_a_tiff_is_a_frame(tmp_path):
    reader, frames = read(write_pages(tmp_path / "pages.tif"))
    assert [number_of(frame.image) for frame in frames] == list(range(12))
    assert [frame.index for frame in frames] == list(range(12))
    assert [frame.time_s for frame in frames] == pytest.approx([i / 30 for i in range(12)])
    assert reader.info.frame_count == 12
    assert not reader.partial


def test_pages_can_be_selected(tmp_path):
    path = write_pages(tmp_path / "pages.tiff")
    _, frames = read(path, start_frame=3, vid_stride=4, max_frames=2)
    assert [(frame.index, number_of(frame.image)) for frame in frames] == [(3, 3), (7, 7)]
    with pytest.raises(InputError, match="ends after 12 frames"):
        read(path, start_frame=12)


@pytest.mark.parametrize("name", ["a.webp", "a.png", "a.gif"])
def test_each_picture_of_an_animation_is_a_frame_at_its_time(tmp_path, name):
    reader, frames = read(write_moving(tmp_path / name))
    assert [number_of(frame.image) for frame in frames] == list(range(20))
    assert np.diff([frame.time_s for frame in frames]) == pytest.approx(0.08)
    assert reader.info.fps == pytest.approx(12.5)
    assert not reader.partial


def test_pages_of_a_file_that_is_cut_are_read_as_far_as_it_goes(tmp_path):
    path = write_pages(tmp_path / "a.tif", 12)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    reader, frames = read(path)
    assert [number_of(frame.image) for frame in frames] == list(range(len(frames)))
    assert 3 <= len(frames) <= 7
    assert reader.faults["truncated"] == 1
    assert reader.partial


def test_an_animation_that_is_cut_says_so(tmp_path):
    path = write_moving(tmp_path / "a.webp", 12)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match="is cut short"):
        read(path)


def test_a_page_that_cannot_be_read_is_counted(tmp_path, monkeypatch):
    real = cv2.imdecodemulti

    def fail_at_four(data, flags, **pages):
        return (False, ()) if pages["range"][0] == 4 else real(data, flags, **pages)

    monkeypatch.setattr(cv2, "imdecodemulti", fail_at_four)
    reader, frames = read(write_pages(tmp_path / "a.tif", 6))
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 5]
    assert reader.faults == {"unreadable_images": 1}
    assert reader.partial


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp"])
def test_images_with_something_behind_their_end_are_whole(tmp_path, suffix):
    for index in range(12):
        write_trailed(tmp_path / f"IMG_{index:03d}{suffix}", index)
    reader, frames = read(tmp_path)
    assert [number_of(frame.image) for frame in frames] == list(range(12))
    assert not reader.faults
    assert not reader.partial


def test_of_images_in_a_directory_the_first_picture_is_read_and_that_is_said_once(tmp_path, caplog):
    for index in range(3):
        write_pages(tmp_path / f"{index}.tif", 4)
    logging.getLogger("mot_dinov3").propagate = True
    with caplog.at_level(logging.INFO, "mot_dinov3"):
        _, frames = read(tmp_path)
    assert [number_of(frame.image) for frame in frames] == [0, 0, 0]
    (said,) = caplog.messages
    assert said.endswith("0.tif' holds 4 pictures; of each image only the first is tracked.")


def test_a_photo_in_tiles_is_refused(tmp_path):
    path = tmp_path / "IMG_0001.heic"
    path.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0\0\0\x20meta" + b"infe grid")
    with pytest.raises(InputError, match="is a photo in tiles"):
        read(path)
