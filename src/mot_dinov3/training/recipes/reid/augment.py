"""Shows a crop as another detector, another pose or another light would."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchvision.transforms import v2

from mot_dinov3.training.recipes.reid.pictures import Size, normalise

PAD_SHARE = 0.08
"""Of the width, by which crops are shifted."""
GREY = 0.05
"""Share of the crops that lose their colour, which alone must not decide."""
GREY_PATCHES = 0.8
"""Share of the crops that lose it in a part, where colours move as far as they can."""
HUES = 0.5
"""Share of the crops whose hue moves: of all that is done to a crop, it takes nine tenths."""


class GreyPatch(v2.RandomErasing):  # type: ignore[misc]
    """Takes the colour from a part of a crop and leaves its structure.

    Gong et al. 2021, "A person re-identification data augmentation method with adversarial
    defense effect", https://arxiv.org/abs/2101.08783, section 3.2.
    """

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:  # noqa: ANN401 - torchvision's
        """Replace the drawn part, if there is one, by its grey."""
        if params["v"] is None:
            return inpt
        top, left, height, width = (params[name] for name in "ijhw")
        part = inpt[..., top : top + height, left : left + width]
        grey = v2.functional.rgb_to_grayscale(part, num_output_channels=3)
        return v2.functional.erase(inpt, top, left, height, width, grey)


def build_transforms(size: Size, erase: float, colour: float = 0.0) -> v2.Transform:
    """What happens to every crop: mirror, shift, light, colour, and a part that is covered.

    Luo et al. 2019, "Bag of tricks and a strong baseline for deep person re-identification",
    sections 3.2 and 3.3.

    Args:
        size: height and width of the crops.
        colour: how far colours move, 0 to 1.
        erase: share of the crops of which a part is covered.
    """
    return v2.Compose(
        [
            v2.RandomHorizontalFlip(),
            v2.RandomCrop(size, padding=round(PAD_SHARE * size[1])),
            v2.ColorJitter(brightness=0.25, contrast=0.15, saturation=0.3 * colour),
            v2.RandomApply([v2.ColorJitter(hue=0.08 * colour)], p=HUES),
            v2.RandomGrayscale(GREY),
            GreyPatch(p=GREY_PATCHES * colour, scale=(0.02, 0.4), value=0),
            v2.RandomErasing(p=erase, scale=(0.02, 0.33), value=[124, 116, 104]),
        ]
    )


def augment(pixels: Tensor, transforms: v2.Transform) -> Tensor:
    """Transform and normalise crops, each in its own way.

    Args:
        pixels: (B, 3, h, w) uint8 RGB; left as they are.
        transforms: draws from torch's global generator.

    Returns:
        (B, 3, h, w) float32.
    """
    return normalise(torch.stack([transforms(crop) for crop in pixels]))
