"""The input of DETR and its like: pixels as transformers makes them, and the way back of boxes."""

from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.perception.detectors.set_input import Placing, SetInput, scale_size
from mot_dinov3.runtime.upload import FrameUpload

BORDER = {"pad_size": {"height": 96, "width": 160}, "size": {"shortest_edge": 96,
                                                             "longest_edge": 160}}  # fmt: skip
PROCESSORS = {
    "plain": ("DetrImageProcessor", {"size": {"shortest_edge": 96, "longest_edge": 160}}),
    "border": ("DetrImageProcessor", BORDER),
    "fixed": ("RTDetrImageProcessor", {"size": {"height": 96, "width": 96}}),
    "cubic": ("RTDetrImageProcessor", {"size": {"height": 96, "width": 128}, "resample": 3,
                                       "do_normalize": True}),
    "as-it-is": ("DetrImageProcessor", {"do_resize": False, "do_rescale": False}),
    "windows": ("RfDetrImageProcessor", {"size": {"height": 96, "width": 96}}),
    "multiples": ("YolosImageProcessor", {"size": {"shortest_edge": 96, "longest_edge": 160}}),
}  # fmt: skip
SHAPES = {"4:3": (320, 240), "16:9": (320, 180), "portrait": (180, 320), "small": (40, 30)}
BOX = (0.25, 0.5, 0.55, 0.8)
"""A white box in a dark picture, as shares of it."""


def processor_of(kind):
    import transformers

    name, settings = PROCESSORS[kind]
    return getattr(transformers, name)(**settings)


def input_of(kind, **more):
    return SetInput(processor_of(kind), smooth=kind != "windows", **more)


def draw(width, height):
    """A picture with one white box; and the box in pixels."""
    box = np.round(np.array(BOX) * [width, height, width, height]).astype(int)
    image = np.random.default_rng(3).integers(0, 90, (height, width, 3), np.uint8)
    image[box[1] : box[3], box[0] : box[2]] = 255
    return image, box


@pytest.mark.parametrize("kind", PROCESSORS)
@pytest.mark.parametrize("shape", SHAPES)
def test_pixels_are_those_of_transformers_up_to_a_grey_level(kind, shape):
    image, _ = draw(*SHAPES[shape])
    seen, processor = input_of(kind), processor_of(kind)
    more = {}
    if (kind, shape) == ("border", "portrait"):
        more = {"pad_size": {"height": 160, "width": 96}}
    wanted = processor(images=image[..., ::-1].copy(), return_tensors="np", **more)
    how = seen.place(*SHAPES[shape])
    pixels = seen.prepare(image, how)
    assert pixels.dtype == np.float32
    assert pixels.shape[2:] == wanted["pixel_values"].shape[2:]
    level = 1 / 255 / 0.224 if kind != "as-it-is" else 1 / 0.224
    apart = np.abs(pixels[:, :3] - wanted["pixel_values"])
    assert apart.max() <= level
    assert apart.mean() <= level / 4
    if how.has_border:
        assert (pixels[:, 3] == wanted["pixel_mask"]).all()
    else:
        assert pixels.shape[1] == 3


@pytest.mark.parametrize("kind", PROCESSORS)
@pytest.mark.parametrize("shape", ["4:3", "16:9", "portrait"])
def test_a_box_comes_back_to_its_place(kind, shape):
    width, height = SHAPES[shape]
    image, box = draw(width, height)
    seen = input_of(kind)
    how = seen.place(width, height)
    pixels = seen.prepare(image, how)[0, 0]
    white = pixels > (pixels.max() + pixels[: how.inner[0], : how.inner[1]].mean()) / 2
    rows, columns = white.any(axis=1).nonzero()[0], white.any(axis=0).nonzero()[0]
    x0, y0, x1, y1 = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    share = np.array([[(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0]], np.float32)
    share /= np.array([how.size[1], how.size[0]] * 2, np.float32)
    coarse = max(width / how.inner[1], height / how.inner[0], 1)  # an input pixel, in the picture
    assert how.to_picture(share)[0] == pytest.approx(box, abs=max(1.0, coarse / 2 + 0.01))


@pytest.mark.parametrize("size", [(640, 480), (1280, 720), (720, 1280)])
def test_shares_of_an_input_with_a_border_are_exact(size):
    how = SetInput(processor_of("border")).place(*size)
    assert how.has_border
    rng = np.random.default_rng(0)
    xyxy = np.sort(rng.random((50, 2, 2)), axis=1).reshape(50, 4) * [*size, *size]
    across = np.array([how.inner[1] / size[0], how.inner[0] / size[1]] * 2)
    placed = xyxy * across / [how.size[1], how.size[0], how.size[1], how.size[0]]
    shares = np.concatenate(
        [(placed[:, :2] + placed[:, 2:]) / 2, placed[:, 2:] - placed[:, :2]], axis=1
    )
    assert np.abs(how.to_picture(shares.astype(np.float32)) - xyxy).max() < 0.01
    wrong = Placing(how.source, how.inner, how.inner).to_picture(shares.astype(np.float32))
    assert np.abs(wrong - xyxy).max() > 10  # as if the border were a part of the picture


def test_boxes_are_cut_to_the_picture():
    how = Placing((100, 50), (50, 100), (50, 100))
    assert how.to_picture(np.array([[0.0, 0.5, 0.2, 3.0]], np.float32)).tolist() == [
        [0.0, 0.0, pytest.approx(10), 50.0]
    ]


@pytest.mark.parametrize(
    ("kind", "longest", "step", "size"),
    [
        ("plain", 320, 32, (180, 320)),
        ("border", 320, 32, (192, 320)),
        ("border", 200, 32, (128, 224)),
        ("fixed", 200, 32, (192, 192)),
        ("cubic", 256, 1, (192, 256)),
        ("windows", 100, 32, (96, 96)),
        ("multiples", 320, 32, (176, 320)),
    ],
)
def test_imgsz_sets_the_longer_side(kind, longest, step, size):
    assert input_of(kind, longest=longest, step=step).place(1280, 720).size == size


def test_a_size_that_names_one_side_is_read():
    assert scale_size({"size": {"shortest_edge": 800, "longest_edge": None}}, 320, 32) == {
        "size": {"shortest_edge": 320, "longest_edge": 320}
    }


@pytest.mark.parametrize("kind", ["border", "fixed", "cubic"])
def test_a_device_makes_the_same_pixels(kind):
    image, _ = draw(320, 180)
    seen = input_of(kind)
    how = seen.place(320, 180)
    there = seen.prepare_on(FrameUpload("cpu"), image, how).numpy()
    assert there == pytest.approx(seen.prepare(image, how), abs=1e-5)
