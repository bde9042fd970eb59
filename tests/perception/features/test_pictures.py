from __future__ import annotations

import cv2
import numpy as np
import pytest

from helpers.reciprocal_oracle import unit
from mot_dinov3.perception.features.crops import CropShape, InputSpec, cpu_batch
from mot_dinov3.perception.features.pictures import (
    AT_ONCE,
    choose_embedder,
    embed_files,
    embed_pictures,
)


class Pixels:
    """The pixels themselves, cut as every network's input is; counts its batches."""

    dim, whole_frame = 4 * 6 * 3, False

    def __init__(self):
        self.batches = []
        self.shape = CropShape(InputSpec(6, 4), pad=0.0, square=False)

    def embed(self, image, xyxy):
        self.batches.append(len(xyxy))
        windows = self.shape.windows(xyxy, (image.shape[1], image.shape[0]))
        return unit(cpu_batch(image, windows, self.shape.spec).reshape(len(xyxy), -1))


def draw(n):
    rng = np.random.default_rng(n)
    sizes = rng.integers(1, 30, (n, 2))
    return [rng.integers(0, 256, (*size, 3), np.uint8) for size in sizes]


def test_pictures_of_one_sheet_are_seen_as_if_alone():
    images = draw(7)
    together, alone = embed_pictures(Pixels(), images), [
        embed_pictures(Pixels(), [image])[0] for image in images
    ]  # fmt: skip
    np.testing.assert_array_equal(together, alone)


def test_files_are_embedded_in_batches_and_unreadable_ones_are_nan(tmp_path):
    paths = [tmp_path / f"{i}.png" for i in range(AT_ONCE + 3)]
    images = draw(len(paths))
    for path, image in zip(paths, images, strict=True):
        cv2.imwrite(str(path), image)
    paths[2].write_bytes(b"x")
    embedder, done = Pixels(), []
    plain, mirrored = embed_files(embedder, paths, mirrored=True, report=done.append)
    assert embedder.batches == [AT_ONCE - 1, AT_ONCE - 1, 3, 3]
    assert done == [AT_ONCE, 3]
    assert np.flatnonzero(np.isnan(plain).any(axis=1)).tolist() == [2]
    np.testing.assert_array_equal(plain[5], embed_pictures(Pixels(), images[5:6])[0])
    flipped = [np.ascontiguousarray(images[5][:, ::-1])]
    np.testing.assert_array_equal(mirrored[5], embed_pictures(Pixels(), flipped)[0])


@pytest.mark.parametrize(
    ("name", "kind"), [("a.onnx", "onnx"), ("b.XML", "openvino"), ("runs", "reid")]
)
def test_a_path_tells_which_embedder_reads_it(tmp_path, name, kind):
    path = tmp_path / name
    path.mkdir() if kind == "reid" else path.write_bytes(b"x")
    found = choose_embedder(str(path))
    assert (found.embedder, found.embed_model) == (kind, str(path))
    assert (found.crop_pad, found.crop_square) == (0, False)


def test_a_name_of_the_table_may_stand_before_the_model():
    found = choose_embedder("dino:facebook/dinov2-base")
    assert (found.embedder, found.embed_model) == ("dino", "facebook/dinov2-base")
