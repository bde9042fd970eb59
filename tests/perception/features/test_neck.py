from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from helpers.fakes import ScriptedDetector
from mot_dinov3.config import EmbedderConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.perception.detectors.mot_file import MotFileDetector
from mot_dinov3.perception.features.base import Placement
from mot_dinov3.perception.features.factory import create_embedder
from mot_dinov3.perception.features.neck import NeckEmbedder

IMAGE = np.zeros((64, 128, 3), np.uint8)
STRIDES = (4, 8, 16)
DEPTHS = (6, 8, 10)


@dataclass
class Maps:
    maps: tuple

    def cells(self, xyxy, level):
        return xyxy / np.float32(STRIDES[level])


class Source:
    """Hands out the maps it is given."""

    title = "yolo, test"

    def __init__(self, neck=None, able=True):
        self.neck, self.able = neck, able

    def keep_neck(self):
        return self.able


def box(x):
    return [x, 16, x + 16, 48]


def scene(people, seed=0, common=5.0):
    """Maps in which everybody shares `common` and differs a little: x -> direction number."""
    rng = np.random.default_rng(seed)
    maps = []
    for stride, depth in zip(STRIDES, DEPTHS, strict=True):
        level = rng.standard_normal((depth, 64 // stride, 128 // stride)).astype(np.float32) * 0.05
        for x, who in people.items():
            left, right = x // stride, max((x + 16) // stride, x // stride + 1)
            level[:, 16 // stride : 48 // stride, left:right] += common
            level[who, 16 // stride : 48 // stride, left:right] += 1
        maps.append(level)
    return Maps(tuple(maps))


def embed(embedder, source, people, seed):
    source.neck = scene(people, seed)
    return embedder.embed(IMAGE, np.array([box(x) for x in people], np.float32))


def test_what_everybody_shares_does_not_count():
    source = Source()
    embedder = NeckEmbedder(source)
    for seed in range(20):
        embed(embedder, source, {16: 0, 64: 1, 96: 2}, seed)
    before = embed(embedder, source, {16: 0, 64: 1, 96: 2}, 90)
    after = embed(embedder, source, {16: 1, 64: 2, 96: 0}, 91)
    cosine = before @ after.T
    assert cosine.argmax(axis=1).tolist() == [2, 0, 1]
    assert cosine.max() > 0.8
    assert np.sort(cosine, axis=1)[:, :2].max() < 0.3


def test_vectors_are_unit_rows_of_the_length_that_it_tells():
    source = Source(scene({16: 0, 64: 1}))
    embedder = NeckEmbedder(source)
    vectors = embedder.embed(IMAGE, np.array([box(16), box(64)], np.float32))
    assert vectors.shape == (2, embedder.dim) == (2, 8 * 6 + 3 * 8 + 10)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    assert embedder.embed(IMAGE, np.empty((0, 4), np.float32)).shape == (0, embedder.dim)


def test_a_lone_object_says_nothing_about_the_usual_one():
    source = Source()
    embedder = NeckEmbedder(source)
    first = embed(embedder, source, {16: 0}, 1)
    for _ in range(30):
        last = embed(embedder, source, {16: 0}, 1)
    np.testing.assert_allclose(first, last)


def test_the_same_picture_is_learned_from_once():
    source = Source(scene({16: 0, 64: 1}))
    embedder = NeckEmbedder(source)
    boxes = np.array([box(16), box(64)], np.float32)
    first = embedder.embed(IMAGE, boxes)
    np.testing.assert_array_equal(first, embedder.embed(IMAGE, boxes))


def test_maps_that_are_not_finite_are_said_not_hidden():
    source = Source(scene({16: 0, 64: 1}))
    embedder = NeckEmbedder(source)
    embedder.embed(IMAGE, np.array([box(16), box(64)], np.float32))
    broken = scene({16: 0, 64: 1})
    broken.maps[0][:, :, :10] = np.nan
    source.neck = broken
    vectors = embedder.embed(IMAGE, np.array([box(16), box(64)], np.float32))
    assert np.isnan(vectors[0]).all()
    assert np.isfinite(vectors[1]).all()


@pytest.mark.parametrize("source", [Source(able=False), ScriptedDetector([])])
def test_a_detector_without_features_is_refused(source):
    with pytest.raises(UsageError, match="hands out no features") as caught:
        NeckEmbedder(source)
    assert "--cheap-evidence" in caught.value.fix


def test_it_is_made_like_every_other_embedder():
    config = EmbedderConfig(embedder="detector", embed_model="demo")
    source = Source(scene({16: 0, 64: 1}))
    embedder = create_embedder(config, Placement("cpu", detector=source))
    assert embedder.title == "neck of yolo, test"
    with pytest.raises(UsageError, match="here no detector looks"):
        create_embedder(config, Placement("cpu"))


def test_a_network_that_gives_none_after_all_is_told(tmp_path):
    with pytest.raises(UsageError, match="yolo, test"):
        NeckEmbedder(Source()).embed(IMAGE, np.array([box(16)], np.float32))
    assert not hasattr(MotFileDetector, "keep_neck")
