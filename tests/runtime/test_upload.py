from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.runtime.upload import FrameUpload

torch = pytest.importorskip("torch")

DEVICES = ["cpu", pytest.param("cuda:0", marks=pytest.mark.gpu)]


def pictures(n, shape=(6, 8, 3)):
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, shape, np.uint8) for _ in range(n)]


@pytest.fixture(params=DEVICES)
def upload(request):
    if request.param != "cpu" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    return FrameUpload(request.param)


def test_a_picture_is_sent_once_however_many_look_at_it(upload):
    one, other = pictures(2)
    first = upload(one)
    assert upload(one) is first
    assert upload.sent == 1
    upload(other)
    assert upload.sent == 2


def test_every_picture_arrives_whole_while_earlier_ones_are_in_use(upload):
    images = [*pictures(5), *pictures(2, (4, 2, 3))]
    arrived = [upload(image) for image in images]
    for image, frame in zip(images, arrived, strict=True):
        np.testing.assert_array_equal(frame.cpu().numpy(), image)


def test_an_equal_array_is_another_picture(upload):
    image = pictures(1)[0]
    upload(image)
    changed = image.copy()
    changed[0, 0, 0] ^= 255
    np.testing.assert_array_equal(upload(changed).cpu().numpy(), changed)


def test_what_was_sent_does_not_follow_later_changes(upload):
    image = pictures(1)[0]
    before = image.copy()
    frame = upload(image)
    image[:] = 0
    np.testing.assert_array_equal(frame.cpu().numpy(), before)
