"""`--embedder shared`: the detector's backbone describes its boxes, small ones by their crops."""

from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.config import EmbedderConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.perception.detectors.base import Neck
from mot_dinov3.perception.detectors.letterbox import fit
from mot_dinov3.perception.features.base import Placement
from mot_dinov3.perception.features.factory import create_embedder
from mot_dinov3.perception.features.shared import SharedEmbedder, find_small, pool_whole

IMAGE = np.zeros((64, 128, 3), np.uint8)
BOXES = np.array([[0, 0, 40, 40], [60, 20, 70, 30], [90, 10, 120, 60]], np.float32)


class BackboneDetector:
    """Its maps are noise; a crop's are ones."""

    title, fingerprint, names = "run", "abc", {0: "thing"}
    repeated, has_memory = "", False
    probe = np.zeros(16, np.float32)

    def __init__(self):
        rng = np.random.default_rng(0)
        maps = rng.normal(size=(6, 8, 16)), rng.normal(size=(10, 4, 8))
        how = fit((128, 64), (64, 128))
        self.neck = Neck(tuple(one.astype(np.float32) for one in maps), how)
        self.looked = []

    def keep_neck(self):
        return True

    def look_closer(self, image, xyxy):
        self.looked.append(xyxy)
        return np.ones((len(xyxy), 6, 8, 4), np.float32), np.ones((len(xyxy), 10, 4, 2), np.float32)

    def warm_up(self, width, height):
        """Nothing."""

    def detect(self, frame):
        """Nothing."""


def test_boxes_of_a_few_cells_are_described_by_their_crops():
    detector = BackboneDetector()
    embedder = SharedEmbedder(detector)
    vectors = embedder.embed(IMAGE, BOXES)
    assert vectors.shape == (3, embedder.dim)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert len(detector.looked) == 1
    assert detector.looked[0] == pytest.approx(BOXES[1:2])
    embedder.embed(IMAGE, BOXES[[0, 2]])
    assert len(detector.looked) == 1


def test_the_crop_decides_what_is_said_of_a_small_box():
    levels = SharedEmbedder(BackboneDetector()).pool(IMAGE, BOXES, BackboneDetector().neck)
    assert np.all(levels[0][1] == 1)
    assert np.all(levels[1][1] == 1)
    assert not np.all(levels[0][0] == 1)


def test_what_lies_outside_is_not_cropped():
    neck = BackboneDetector().neck
    odd = np.array([[-9, -9, -2, -2], [np.nan] * 4, [200, 10, 204, 14], [3, 3, 3, 9]], np.float32)
    assert not find_small(odd, neck, IMAGE).any()
    assert find_small(BOXES, neck, IMAGE).tolist() == [False, True, False]


def test_a_whole_map_is_pooled_in_bins():
    features = np.arange(32, dtype=np.float32).reshape(1, 8, 4)
    assert pool_whole(features, (1, 1)) == pytest.approx([15.5])
    upper, lower = pool_whole(features, (2, 1))
    assert (upper, lower) == pytest.approx((7.5, 23.5))


def test_another_detector_is_refused():
    plain = type("Plain", (), {"title": "yolov8n.pt"})()
    for place in (Placement("cpu"), Placement("cpu", detector=plain)):
        with pytest.raises(UsageError, match="train detector"):
            create_embedder(EmbedderConfig(embedder="shared"), place)
