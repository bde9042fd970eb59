"""Where an image ends, whatever follows it, and what else a file holds."""

from __future__ import annotations

import struct

import cv2
import numpy as np
import pytest

from mot_dinov3.io.picture_bytes import (
    count_extra,
    is_cut,
    is_moving_png,
    is_tiled_photo,
    list_pages,
)

TAILS = {
    "nothing": b"",
    "a byte": b"\0",
    "zeros": bytes(5000),
    "markers": b"MotionPhoto_Data" + b"\xff\xd8\xff\xda\0\x0c" * 30 + b"\xff\xda",
    "ends": b"\xff\xd9IEND" * 20 + b"\xff\xda",
}


def picture(seed=0, size=(48, 64)):
    rng = np.random.default_rng(seed)
    return cv2.resize(rng.integers(0, 255, (6, 8, 3), np.uint8), size[::-1])


def encode(suffix, image=None, *options):
    return cv2.imencode(suffix, picture() if image is None else image, options)[1].tobytes()


KINDS = {
    "jpeg": lambda: encode(".jpg"),
    "progressive": lambda: encode(".jpg", None, cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "restarts": lambda: encode(".jpg", None, cv2.IMWRITE_JPEG_RST_INTERVAL, 1),
    "png": lambda: encode(".png"),
    "webp": lambda: encode(".webp"),
}


def add_thumbnail(jpeg):
    """A JPEG whose head holds a whole smaller one, as cameras write it."""
    inside = b"Exif\0\0" + encode(".jpg", picture(1, (12, 16)))
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(inside) + 2) + inside + jpeg[2:]


@pytest.mark.parametrize("tail", TAILS.values(), ids=TAILS)
@pytest.mark.parametrize("kind", KINDS)
def test_what_follows_an_image_does_not_cut_it(kind, tail):
    assert not is_cut(KINDS[kind]() + tail)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("kind", KINDS)
def test_an_image_without_its_end_is_cut(kind, share):
    data = KINDS[kind]()
    assert is_cut(data[: int(len(data) * share)])


@pytest.mark.parametrize("share", [0.5, 0.98])
def test_the_end_of_a_thumbnail_is_not_the_end(share):
    data = add_thumbnail(encode(".jpg"))
    assert not is_cut(data)
    assert is_cut(data[: int(len(data) * share)])


def test_filler_before_a_marker_is_passed_over():
    data = encode(".jpg")
    assert not is_cut(data[:-2] + b"\xff\xff\xff\xd9")


@pytest.mark.parametrize("suffix", [".bmp", ".ppm", ".tif", ".jp2"])
def test_other_formats_are_left_to_their_decoders(suffix):
    assert not is_cut(encode(suffix))


def test_pages_of_a_tiff_are_counted_without_its_thumbnails():
    pages = [picture(seed) for seed in range(3)]
    data = cv2.imencodemulti(".tif", pages)[1].tobytes()
    assert list_pages(data) == [0, 1, 2]
    assert list_pages(encode(".tif")) == [0]


def write_directories(kinds, order="<", big=False):
    """A TIFF of directories alone, each of which says what kind of page it describes."""
    count, offset, size = ("Q", "Q", 20) if big else ("H", "I", 12)
    out = (b"II" if order == "<" else b"MM") + struct.pack(order + "H", 43 if big else 42)
    out += struct.pack(order + "HH", 8, 0) if big else b""
    length = struct.calcsize(count) + size + struct.calcsize(offset)
    place = len(out) + struct.calcsize(offset)
    out += struct.pack(order + offset, place)
    for number, kind in enumerate(kinds):
        place = 0 if number == len(kinds) - 1 else place + length
        entry = struct.pack(order + "HH" + offset, 254, 4, 1) + struct.pack(order + offset, kind)
        if order == ">" and big:
            entry = struct.pack(">HHQII", 254, 4, 1, kind, 0)
        out += struct.pack(order + count, 1) + entry + struct.pack(order + offset, place)
    return out


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_smaller_versions_and_masks_are_no_pages(order, big):
    assert list_pages(write_directories([0, 1, 2, 4, 0], order, big)) == [0, 2, 4]


def test_directories_that_go_in_a_circle_end():
    data = bytearray(write_directories([0, 0]))
    data[-4:] = struct.pack("<I", 8)
    assert list_pages(bytes(data)) == [0, 1]
    assert not is_cut(bytes(data))
    assert list_pages(bytes(data[:30])) == [0]
    assert is_cut(bytes(data[:30]))


def moving(suffix, count=4):
    animation = cv2.Animation()
    animation.frames = [picture(seed) for seed in range(count)]
    animation.durations = np.full(count, 80)
    return cv2.imencodeanimation(suffix, animation)[1].tobytes()


def test_animations_are_told_from_single_pictures():
    assert list_pages(moving(".webp")) == [0, 1, 2, 3]
    assert list_pages(encode(".webp")) == [0]
    assert is_moving_png(moving(".png"))
    assert not is_moving_png(encode(".png"))
    assert not is_moving_png(encode(".jpg"))


@pytest.mark.parametrize("order", ["<", ">"])
def test_the_pictures_of_a_multi_picture_jpeg_are_counted(order):
    sign = b"II*\0" if order == "<" else b"MM\0*"
    index = sign + struct.pack(order + "I", 8) + struct.pack(order + "H", 2)
    index += struct.pack(order + "HHI4s", 0xB000, 7, 4, b"0100")
    index += struct.pack(order + "HHII", 0xB001, 4, 1, 5) + bytes(4)
    segment = b"MPF\0" + index
    jpeg = encode(".jpg")
    data = jpeg[:2] + b"\xff\xe2" + struct.pack(">H", len(segment) + 2) + segment + jpeg[2:]
    assert count_extra(data) == 4
    assert count_extra(data[:40]) == 0
    assert count_extra(jpeg) == 0
    assert count_extra(encode(".png")) == 0


def test_a_photo_in_tiles_is_known_by_its_head():
    assert is_tiled_photo(b"\0\0\0\x18ftypheic" + bytes(40) + b"infe\0\0\0\0grid")
    assert not is_tiled_photo(b"\0\0\0\x18ftypheic" + bytes(40))
    assert not is_tiled_photo(b"\0\0\0\x18ftypisom" + b"grid")


def test_pictures_that_follow_each_other_are_counted():
    jpeg = encode(".jpg")
    assert count_extra(jpeg * 3) == 2
    assert count_extra(jpeg * 2 + jpeg[:50]) == 1
    assert count_extra(jpeg + b"MotionPhoto" + jpeg) == 0
    grey = picture()[:, :, 0]
    for portable in (encode(".ppm"), encode(".pgm", grey), b"P5\n# made\n2 3\n65535\n" + bytes(12)):
        assert count_extra(portable) == 0
        assert count_extra(portable * 4) == 3
        assert count_extra(portable + b"\n") == 0
