"""The crops that a GAN learns from, small enough to stay in memory, and those that it does not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mot_dinov3.data.reid.crops import Crops
from mot_dinov3.data.reid.market import read_training_crops
from mot_dinov3.errors import InputError
from mot_dinov3.io.read.images import read_image
from mot_dinov3.nets.gan.network import HEIGHT_PX, WIDTH_PX
from mot_dinov3.runtime.notices import log_notice
from mot_dinov3.values import BoolArray
from mot_dinov3.wording import counted

Pictures = NDArray[np.uint8]
"""(N, height, width, 3) BGR."""

HELD_OUT_EVERY = 5
"""One in so many identities is only measured on."""
FEWEST = 8


@dataclass(frozen=True, slots=True)
class CropPictures:
    """Crops of one size.

    Attributes:
        learned: what is learned from.
        held_out: pictures of other identities, or of the same if there is only one.
    """

    learned: Pictures
    held_out: Pictures


def read_pictures(folder: Path) -> CropPictures:
    """Read the training crops of a data set; what cannot be read is counted and left out.

    Raises:
        InputError: there are too few.
    """
    crops = read_training_crops(folder)
    images = [read_image(path) for path in crops.paths]
    whole = np.array([image is not None for image in images])
    if not whole.all():
        log_notice("%s cannot be read and are left out.", counted(int((~whole).sum()), "picture"))
    size = (WIDTH_PX, HEIGHT_PX)
    small = [
        cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in images if one is not None
    ]
    if len(small) < FEWEST:
        raise InputError(
            f"'{folder}' has {counted(len(small), 'picture')} that can be read, and a GAN needs "
            f"at least {FEWEST}.",
            fix="Give a folder with more crops with --data.",
        )
    pictures, held_out = np.stack(small).astype(np.uint8), hold_out(crops[whole])
    return CropPictures(pictures[~held_out], pictures[held_out])


def hold_out(crops: Crops) -> BoolArray:
    """(N,) which crops are only measured on: those of every fifth identity."""
    _, number = np.unique(crops.identity, return_inverse=True)
    if crops.identities < HELD_OUT_EVERY:
        number = np.arange(len(crops))
    chosen: BoolArray = number % HELD_OUT_EVERY == HELD_OUT_EVERY - 1
    return chosen
