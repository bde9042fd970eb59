from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.errors import UsageError
from mot_dinov3.runs.library.pictures import check_image

BGR = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)


@pytest.mark.parametrize("image", [BGR, BGR[..., ::-1], BGR[::2, ::2], np.asfortranarray(BGR)])
def test_pixels_stay_as_they_are(image):
    found = check_image(image)
    np.testing.assert_array_equal(found, image)
    assert found.flags.c_contiguous
    assert found is not image


@pytest.mark.parametrize(
    ("image", "what", "fix"),
    [
        (BGR[..., 0], "is grey, shape (4, 6)", "COLOR_GRAY2BGR"),
        (BGR[..., :1], "is grey, shape (4, 6, 1)", "COLOR_GRAY2BGR"),
        (np.zeros((4, 6, 4), np.uint8), "is BGRA, shape (4, 6, 4)", "COLOR_BGRA2BGR"),
        (BGR / 255, "of float64, not of uint8", "(image * 255).clip(0, 255)"),
        (BGR.astype(np.float32), "of float32, not of uint8", "image.clip(0, 255)"),
        (BGR.astype(np.uint16), "of uint16, not of uint8", "(image >> 8)"),
        (BGR.astype(np.int64), "of int64, not of uint8", "image.astype(np.uint8)"),
        (np.moveaxis(BGR, -1, 0), "has shape (3, 4, 6)", "np.moveaxis(image, 0, -1)"),
        (BGR[None], "has shape (1, 4, 6, 3)", "one picture at a time"),
        (BGR[:0], "is empty, shape (0, 6, 3)", "camera"),
        (None, "is None, not a numpy array", "camera"),
        ("a.jpg", "is a str, not a numpy array", "cv2.imread"),
    ],
)
def test_what_is_not_a_picture_says_how_it_becomes_one(image, what, fix):
    with pytest.raises(UsageError) as caught:
        check_image(image)
    assert what in caught.value.what
    assert fix in caught.value.fix


def test_pictures_of_other_packages_say_how_they_become_arrays():
    import torch
    from PIL import Image

    with pytest.raises(UsageError, match="is a PIL Image") as caught:
        check_image(Image.fromarray(BGR))
    assert "np.asarray(image.convert('RGB'))[..., ::-1]" in caught.value.fix
    with pytest.raises(UsageError, match="is a torch Tensor") as caught:
        check_image(torch.tensor(BGR))
    assert "numpy()" in caught.value.fix
