from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from mot_dinov3.config import EmbedderConfig
from mot_dinov3.errors import ModelError, UsageError
from mot_dinov3.perception.features.base import Placement
from mot_dinov3.perception.features.dense import DenseEmbedder, patch_maps, patch_size
from mot_dinov3.perception.features.factory import create_embedder

GRID = (6, 8)
IMAGE = np.zeros((60, 80, 3), np.uint8)


class Network:
    """Answers with maps that say in which half of the picture a patch is."""

    device, title = "cpu", "fake 80x60 px"
    dim = 2 * GRID[0] * GRID[1]

    def __init__(self):
        self.passes = 0

    def embed(self, image, xyxy):
        assert xyxy.tolist() == [[0, 0, image.shape[1], image.shape[0]]]
        self.passes += 1
        maps = np.zeros((2, *GRID), np.float32)
        maps[0, :, :4], maps[1, :, 4:] = 1, 1
        return maps.reshape(1, -1)


def test_one_pass_describes_every_box_by_the_patches_under_it():
    network = Network()
    embedder = DenseEmbedder(network, GRID, "80x60")
    boxes = [[5, 10, 25, 50], [55, 10, 75, 50], [30, 0, 50, 60]] * 20
    vectors = embedder.embed(IMAGE, np.array(boxes, np.float32))
    assert network.passes == 1
    assert vectors.shape == (60, embedder.dim) == (60, 4)
    cosine = vectors[:3] @ vectors[:3].T
    assert cosine[0, 1] == pytest.approx(0, abs=1e-6)
    assert cosine[0, 2] == pytest.approx(np.sqrt(0.5), abs=0.01)


def test_what_is_outside_of_the_picture_is_said_to_be():
    boxes = [[5, 10, 25, 50], [-30, 0, -1, 20], [90, 0, 99, 20], [np.nan, 0, 5, 5]]
    vectors = DenseEmbedder(Network(), GRID, "80x60").embed(IMAGE, np.array(boxes, np.float32))
    assert np.isfinite(vectors).all(axis=1).tolist() == [True, False, False, False]


def test_tokens_that_are_no_patches_are_left_out():
    torch = pytest.importorskip("torch")
    tokens = torch.arange(7.0).reshape(1, 7, 1).expand(1, 7, 3)
    maps = patch_maps(SimpleNamespace(last_hidden_state=tokens), patches=4)
    assert maps.shape == (1, 3, 4)
    assert maps[0, 0].tolist() == [3, 4, 5, 6]
    with pytest.raises(ModelError, match="token per patch"):
        patch_maps(SimpleNamespace(last_hidden_state=tokens), patches=8)


@pytest.mark.parametrize("text", ["{}", '{"patch_size": "16"}', "[", '{"patch_size": 0}'])
def test_a_model_without_patches_is_refused(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ModelError, match="into patches"):
        patch_size(tmp_path, "some/resnet")


def test_the_shipped_model_describes_whole_pictures():
    config = EmbedderConfig(embedder="dense", embed_model="demo", dense_size="100x160")
    embedder = create_embedder(config, Placement("cpu"))
    image = np.random.default_rng(0).integers(0, 256, (200, 320, 3), dtype=np.uint8)
    boxes = np.array([[10, 10, 100, 190], [200, 20, 310, 160]], np.float32)
    vectors = embedder.embed(image, boxes)
    assert "160x96 px" in embedder.title or "96x160 px" in embedder.title
    assert vectors.shape == (2, embedder.dim) == (2, 2 * 96)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    assert vectors[0] @ vectors[1] < 0.999


@pytest.mark.parametrize("size", ["288", "axb", "28x99999", "-9x16"])
def test_a_size_that_is_none_is_refused(size):
    with pytest.raises(UsageError, match="--dense-size"):
        EmbedderConfig(dense_size=size)
