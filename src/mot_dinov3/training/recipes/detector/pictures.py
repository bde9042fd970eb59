"""Labelled pictures as a detector learns from them: fitted as for detection, moved a little."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.ops import box_convert
from torchvision.transforms import v2

from mot_dinov3.data.detection.base import DetectionExample
from mot_dinov3.io.read.images import read_image
from mot_dinov3.perception.detectors.letterbox import GREY, InputFit, fit, input_size, letterbox

LEAST_SIDE_PX = 1.0
"""A box of which less is left is not asked for."""
AFFINE_SHARE = 0.4
Batch = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture as the network sees it.

    Attributes:
        pixels: (3, h, w) float32 RGB in 0..1.
        xyxy: (N, 4) float32 boxes in pixels of it.
        class_id: (N,) int64.
        how: how the picture lies in `pixels`.
    """

    pixels: Tensor
    xyxy: Tensor
    class_id: Tensor
    how: InputFit

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.how.size


@dataclass(frozen=True, slots=True)
class Fitting:
    """How pictures are made as large as the network sees them.

    Attributes:
        longest: the longer side in pixels.
        stride: both sides are multiples of it.
        ids: class id of the data set -> of the network.
    """

    longest: int
    stride: int
    ids: dict[int, int]

    def fit(self, width: int, height: int) -> InputFit:
        """How a picture of that size lies in its input."""
        return fit((width, height), input_size((width, height), self.longest, self.stride))


def load_sample(example: DetectionExample, fitting: Fitting) -> Sample | None:
    """Read a picture and place its boxes; None where it cannot be read."""
    image = read_image(example.picture)
    if image is None:
        return None
    height, width = image.shape[:2]
    how = fitting.fit(width, height)
    xyxy = how.from_picture(example.place_boxes(width, height))
    ids = np.array([fitting.ids[int(one)] for one in example.class_id], np.int64)
    pixels = torch.from_numpy(letterbox(image, how)[0])
    return Sample(pixels, torch.from_numpy(xyxy), torch.from_numpy(ids), how)


def build_transforms() -> v2.Transform:
    """What happens to a picture: mirrored, turned, sheared, moved and scaled a little, and light.

    There is no crop: it would cut small objects.
    """
    moved = v2.RandomAffine(
        degrees=5, translate=(0.03, 0.03), scale=(0.9, 1.1), shear=3, fill=GREY / 255
    )
    return v2.Compose(
        [
            v2.RandomHorizontalFlip(),
            v2.RandomApply([moved], p=AFFINE_SHARE),
            v2.ColorJitter(brightness=0.2, contrast=0.1),
            v2.ClampBoundingBoxes(),
            v2.SanitizeBoundingBoxes(min_size=LEAST_SIDE_PX, labels_getter=itemgetter(2)),
        ]
    )


def augment(sample: Sample, transforms: v2.Transform, seed: Sequence[int]) -> Sample:
    """Transform a picture with its boxes; the seed decides how."""
    boxes = tv_tensors.BoundingBoxes(sample.xyxy, format="XYXY", canvas_size=sample.size)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(np.random.SeedSequence(list(seed)).generate_state(1)[0]))
        pixels, moved, ids = transforms(tv_tensors.Image(sample.pixels), boxes, sample.class_id)
    return replace(
        sample, pixels=pixels.as_subclass(Tensor), xyxy=moved.as_subclass(Tensor), class_id=ids
    )


def mirror(sample: Sample) -> Sample:
    """The picture as a mirror shows it."""
    width = sample.size[1]
    xyxy = sample.xyxy[:, [2, 1, 0, 3]]
    xyxy[:, 0::2] = width - xyxy[:, 0::2]
    return replace(sample, pixels=sample.pixels.flip(2), xyxy=xyxy)


def stack(samples: Sequence[Sample]) -> Batch:
    """One batch of pictures that may differ in size.

    Returns:
        pixels: (B, 3, H, W), zeros beside a picture; mask: (B, H, W), 1 where it is; labels: a dict
        a picture with `class_labels` (N,) and `boxes` (N, 4), centre and size as its shares.
    """
    return {
        "pixels": pad_together([sample.pixels for sample in samples]),
        "mask": mark([sample.size for sample in samples]),
        "labels": [list_labels(sample) for sample in samples],
    }


def mark(sizes: Sequence[tuple[int, int]]) -> Tensor:
    """(B, H, W), 1 where pictures of these heights and widths are, 0 beside them."""
    return pad_together([torch.ones(size) for size in sizes])


def pad_together(arrays: Sequence[Tensor]) -> Tensor:
    """(B, ..., H, W) of arrays (..., h, w), zeros to the right and below."""
    height, width = (max(one.shape[axis] for one in arrays) for axis in (-2, -1))
    out = arrays[0].new_zeros((len(arrays), *arrays[0].shape[:-2], height, width))
    for row, one in enumerate(arrays):
        out[row, ..., : one.shape[-2], : one.shape[-1]] = one
    return out


def list_labels(sample: Sample) -> dict[str, Tensor]:
    """Boxes of a picture as the losses of transformers want them."""
    height, width = sample.size
    boxes = box_convert(sample.xyxy, "xyxy", "cxcywh") / torch.tensor([width, height] * 2)
    return {"class_labels": sample.class_id, "boxes": boxes}
