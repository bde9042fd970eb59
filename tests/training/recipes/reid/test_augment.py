"""What happens to a crop before it is learned from."""

from __future__ import annotations

import pytest
import torch

from mot_dinov3.training.recipes.reid.augment import (
    GREY_PATCHES,
    GreyPatch,
    augment,
    build_transforms,
)

WEIGHTS = torch.tensor([0.2989, 0.587, 0.114])
"""Of red, green and blue in grey (ITU-R BT.601)."""


@pytest.fixture
def crops():
    torch.manual_seed(7)
    return torch.randint(0, 256, (200, 3, 64, 32), dtype=torch.uint8)


def find_grey(crop):
    return (crop[0] == crop[1]) & (crop[1] == crop[2])


def test_a_grey_patch_is_one_rectangle_and_leaves_the_rest(crops):
    transform = GreyPatch(p=1, scale=(0.1, 0.4), value=0)
    for crop in crops[:20]:
        out = transform(crop)
        changed = (out != crop).any(0)
        rows, columns = changed.any(1).nonzero(), changed.any(0).nonzero()
        patch = (slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1))
        assert find_grey(out[:, *patch]).all()
        assert 0.05 < find_grey(out[:, *patch]).numel() / (64 * 32) < 0.45
        outside = torch.ones(64, 32, dtype=torch.bool)
        outside[patch] = False
        assert (out[:, outside] == crop[:, outside]).all()


def test_a_grey_patch_keeps_how_bright_it_was(crops):
    torch.manual_seed(1)
    out = GreyPatch(p=1, scale=(0.1, 0.4), value=0)(crops[0])
    grey = (out != crops[0]).any(0)
    before = (crops[0].float() * WEIGHTS[:, None, None]).sum(0)
    torch.testing.assert_close(out[0][grey].float(), before[grey], atol=1.01, rtol=0)


@pytest.mark.parametrize("colour", [0.0, 0.5, 1.0])
def test_the_more_colours_move_the_more_crops_get_a_patch(crops, colour):
    torch.manual_seed(2)
    patch = build_transforms((64, 32), 0.0, colour).transforms[-2]
    assert isinstance(patch, GreyPatch)
    share = sum(bool((patch(crop) != crop).any()) for crop in crops) / len(crops)
    assert abs(share - GREY_PATCHES * colour) < 0.12


def test_every_crop_is_changed_in_its_own_way_and_the_first_ones_stay(crops):
    torch.manual_seed(3)
    same = crops[:1].expand(8, -1, -1, -1).clone()
    out = augment(same, build_transforms((64, 32), erase=0.3, colour=0.5))
    assert out.dtype == torch.float32
    assert all((out[0] != one).any() for one in out[1:])
    assert (same == crops[:1]).all()
