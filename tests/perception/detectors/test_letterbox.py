"""Pictures in a network's input, and boxes back in the picture."""

from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.errors import DeviceFullError
from mot_dinov3.perception.detectors.letterbox import (
    GREY,
    DeviceLetterbox,
    fit,
    input_size,
    letterbox,
)
from mot_dinov3.runtime.upload import FrameUpload


@pytest.mark.parametrize(
    ("source", "longest", "expected"),
    [
        ((768, 432), 640, (384, 640)),
        ((432, 768), 640, (640, 384)),
        ((1920, 1080), 960, (544, 960)),
        ((640, 480), 640, (480, 640)),
        ((640, 640), 640, (640, 640)),
        ((320, 180), 640, (384, 640)),
        ((1000, 1), 640, (32, 640)),
        ((100, 100), 650, (672, 672)),
    ],
)
def test_the_input_has_the_shape_of_the_picture(source, longest, expected):
    assert input_size(source, longest, 32) == expected


def test_the_picture_lies_in_the_middle_in_rgb_between_0_and_1():
    image = np.zeros((36, 64, 3), np.uint8)
    image[...] = (255, 51, 0)
    pixels = letterbox(image, fit((64, 36), (64, 64)))
    assert pixels.shape == (1, 3, 64, 64)
    assert pixels.dtype == np.float32
    np.testing.assert_allclose(pixels[0, :, 32, 32], [0, 0.2, 1], atol=1e-6)
    np.testing.assert_allclose(pixels[0, :, :14], GREY / 255)
    np.testing.assert_allclose(pixels[0, :, 50:], GREY / 255)
    np.testing.assert_allclose(pixels[0, 0, 14:50], 0)


@pytest.mark.parametrize("source", [(768, 432), (431, 767), (33, 500), (1920, 1080)])
def test_boxes_come_back_to_where_they_were(source):
    how = fit(source, input_size(source, 640, 32))
    boxes = np.array([[0, 0, *source], [3, 5, 20, 30.5]], np.float32)
    inside = boxes * how.ratio + np.array([how.left, how.top] * 2, np.float32)
    np.testing.assert_allclose(how.to_picture(inside), boxes, atol=0.6)
    np.testing.assert_allclose(how.to_picture(inside + 1e4)[0], [*source, *source])


@pytest.mark.parametrize("source", [(768, 432), (500, 333), (64, 64), (50, 200)])
def test_pixels_are_those_of_ultralytics(source):
    """The network was trained on this very arrangement."""
    augment = pytest.importorskip("ultralytics.data.augment")
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (source[1], source[0], 3), np.uint8)
    theirs = augment.LetterBox((320, 320), auto=True, stride=32)(image=image)
    ours = letterbox(image, fit(source, input_size(source, 320, 32)))
    expected = theirs[..., ::-1].transpose(2, 0, 1)[None].astype(np.float32) / 255
    np.testing.assert_allclose(ours, expected, atol=1e-6)


DEVICES = ["cpu", pytest.param("cuda:0", marks=pytest.mark.gpu)]


def smooth(width, height):
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    planes = [127 + 120 * np.sin(x / 17 + y / 23), 255 * x / width, 255 * y / height]
    return np.stack(planes, axis=2).round().astype(np.uint8)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("source", [(768, 432), (500, 333), (320, 320), (50, 200), (1920, 1080)])
def test_the_input_is_the_one_that_is_made_on_the_cpu(source, device):
    torch = pytest.importorskip("torch")
    if device != "cpu" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    image = smooth(*source)
    how = fit(source, input_size(source, 320, 32))
    upload = FrameUpload(device)
    ours = DeviceLetterbox(upload)(image, how).cpu().numpy()
    expected = letterbox(image, how)
    assert ours.shape == expected.shape
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, expected, atol=1.01 / 255)
    assert np.abs(ours - expected).mean() < 0.3 / 255
    assert (upload(image) is upload(image), upload.sent) == (True, 1)


@pytest.mark.parametrize("said", ["CUDA out of memory", "CUDA error: CUBLAS_STATUS_ALLOC_FAILED"])
def test_a_full_device_is_a_sentence(said):
    pytest.importorskip("torch")

    def full(image):
        raise RuntimeError(said)

    full.device = "cuda:0"
    with pytest.raises(DeviceFullError, match="cuda:0 has no memory left for a frame") as caught:
        DeviceLetterbox(full)(smooth(64, 48), fit((64, 48), (64, 64)))
    assert caught.value.exit_code == 7
