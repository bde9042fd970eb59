"""Labelled pictures: boxes stay on their objects however a picture is fitted, moved and padded."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from mot_dinov3.data.detection.base import DetectionExample
from mot_dinov3.training.recipes.detector.pictures import (
    Fitting,
    augment,
    build_transforms,
    load_sample,
    mirror,
    stack,
)

FITTING = Fitting(longest=320, stride=32, ids={5: 1})


def write_picture(folder, width, height, box):
    image = np.full((height, width, 3), 30, np.uint8)
    x1, y1, x2, y2 = box
    image[y1:y2, x1:x2] = 255
    cv2.imwrite(str(folder / "a.png"), image)
    shares = [(x1 + x2) / 2 / width, (y1 + y2) / 2 / height]
    shares += [(x2 - x1) / width, (y2 - y1) / height]
    return DetectionExample(folder / "a.png", np.float32([shares]), np.array([5]))


def find_white(sample):
    """(4,) xyxy of what is white in the pixels."""
    rows, columns = (sample.pixels.mean(0) > 0.6).nonzero(as_tuple=True)
    return [float(v) for v in (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)]


SHAPES = [(640, 480, (200, 100, 300, 400)), (1280, 720, (700, 60, 900, 500))]
SHAPES += [(405, 720, (60, 300, 160, 600)), (96, 400, (20, 20, 60, 200))]


@pytest.mark.parametrize(("width", "height", "box"), SHAPES)
def test_a_box_goes_into_the_input_and_back(tmp_path, width, height, box):
    sample = load_sample(write_picture(tmp_path, width, height, box), FITTING)
    assert max(sample.pixels.shape) <= 320 + 31
    assert all(side % 32 == 0 for side in sample.pixels.shape[1:])
    assert sample.xyxy[0].numpy() == pytest.approx(find_white(sample), abs=1)
    assert sample.how.to_picture(sample.xyxy.numpy())[0] == pytest.approx(box, abs=0.1)
    assert sample.class_id.tolist() == [1]


def test_labels_are_shares_of_the_picture_without_its_padding(tmp_path):
    (tmp_path / "wide").mkdir()
    (tmp_path / "tall").mkdir()
    wide = load_sample(write_picture(tmp_path / "wide", *SHAPES[1]), FITTING)
    tall = load_sample(write_picture(tmp_path / "tall", *SHAPES[2]), FITTING)
    batch = stack([wide, tall])
    assert batch["pixels"].shape == (2, 3, 320, 320)
    for row, sample in enumerate((wide, tall)):
        height, width = sample.pixels.shape[1:]
        assert batch["mask"][row].sum() == height * width
        assert batch["mask"][row, :height, :width].all()
        x, y, w, h = batch["labels"][row]["boxes"][0] * torch.tensor([width, height] * 2)
        corners = [float(v) for v in (x - w / 2, y - h / 2, x + w / 2, y + h / 2)]
        assert sample.xyxy[0].tolist() == pytest.approx(corners, abs=1e-3)


def test_boxes_follow_what_is_done_to_the_picture(tmp_path):
    sample = load_sample(write_picture(tmp_path, *SHAPES[0]), FITTING)
    transforms = build_transforms()
    seen = set()
    for seed in range(12):
        moved = augment(sample, transforms, [seed])
        white = find_white(moved)
        assert moved.xyxy[0].tolist() == pytest.approx(white, abs=4)
        seen.add(tuple(int(value) for value in white))
    assert len(seen) > 4
    assert find_white(sample) == find_white(
        load_sample(write_picture(tmp_path, *SHAPES[0]), FITTING)
    )
    mirrored = mirror(sample)
    assert mirrored.xyxy[0].tolist() == pytest.approx(find_white(mirrored), abs=1)


def test_the_seed_decides_and_nothing_else_is_drawn(tmp_path):
    sample = load_sample(write_picture(tmp_path, *SHAPES[0]), FITTING)
    torch.manual_seed(3)
    first = augment(sample, build_transforms(), [1, 2])
    state = torch.get_rng_state()
    torch.manual_seed(3)
    assert torch.equal(state, torch.get_rng_state())
    torch.manual_seed(4)
    assert torch.equal(first.pixels, augment(sample, build_transforms(), [1, 2]).pixels)


def test_a_box_that_leaves_the_picture_is_not_asked_for(tmp_path):
    sample = load_sample(write_picture(tmp_path, 640, 480, (0, 0, 4, 4)), FITTING)
    kept = [len(augment(sample, build_transforms(), [seed]).xyxy) for seed in range(40)]
    assert 0 in kept
    assert 1 in kept


def test_a_picture_that_cannot_be_read_is_none(tmp_path):
    (tmp_path / "a.png").write_bytes(b"not a picture")
    example = DetectionExample(tmp_path / "a.png", np.zeros((0, 4), np.float32), np.array([], int))
    assert load_sample(example, FITTING) is None
