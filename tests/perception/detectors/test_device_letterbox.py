from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.errors import DeviceFullError
from mot_dinov3.perception.detectors.device_letterbox import DeviceLetterbox
from mot_dinov3.perception.detectors.letterbox import fit, input_size, letterbox
from mot_dinov3.runtime.upload import FrameUpload

torch = pytest.importorskip("torch")

DEVICES = ["cpu", pytest.param("cuda:0", marks=pytest.mark.gpu)]


def smooth(width, height):
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    planes = [127 + 120 * np.sin(x / 17 + y / 23), 255 * x / width, 255 * y / height]
    return np.stack(planes, axis=2).round().astype(np.uint8)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("source", [(768, 432), (500, 333), (320, 320), (50, 200), (1920, 1080)])
def test_the_input_is_the_one_that_is_made_on_the_cpu(source, device):
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


def test_a_full_device_is_a_sentence():
    def full(image):
        raise torch.OutOfMemoryError("CUDA out of memory")

    full.device = "cuda:0"
    with pytest.raises(DeviceFullError, match="cuda:0 has no memory left for a frame") as caught:
        DeviceLetterbox(full)(smooth(64, 48), fit((64, 48), (64, 64)))
    assert caught.value.exit_code == 7
