from __future__ import annotations

import numpy as np
import pytest

from helpers.hub_fixtures import hub, offline, token

__all__ = ["hub", "offline", "token"]


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """A directory of small random-weight models, saved as the hub has them."""
    import torch
    import transformers as t

    root = tmp_path_factory.mktemp("models")
    small = {"num_hidden_layers": 2, "num_attention_heads": 2, "hidden_size": 32}
    stages = {"hidden_sizes": [8, 16, 24, 32], "depths": [1, 1, 1, 1]}
    cut = {"size": {"shortest_edge": 64}, "crop_size": {"height": 56, "width": 56}}
    tower = {**small, "intermediate_size": 64}
    vision = {**tower, "image_size": 56, "patch_size": 14, "projection_dim": 24}
    torch.manual_seed(0)
    made = {
        "dinov2": t.Dinov2Model(t.Dinov2Config(**small, image_size=56)),
        "dinov3": t.DINOv3ViTModel(
            t.DINOv3ViTConfig(**tower, image_size=64, num_register_tokens=4)
        ),
        "convnext": t.DINOv3ConvNextModel(t.DINOv3ConvNextConfig(**stages, image_size=64)),
        "clip": t.CLIPModel(
            t.CLIPConfig(text_config=tower, vision_config=vision, projection_dim=24)
        ),
        "resnet": t.ResNetModel(t.ResNetConfig(**stages, embedding_size=8)),
        "text": t.BertModel(t.BertConfig(**tower, vocab_size=16)),
    }
    processors = {
        "dinov2": t.BitImageProcessor(**cut, image_mean=[0.5, 0.4, 0.3]),
        "dinov3": t.DINOv3ViTImageProcessor(size={"height": 64, "width": 64}),
        "clip": t.CLIPImageProcessor(**cut),
        "resnet": t.ConvNextImageProcessor(size={"shortest_edge": 64}, crop_pct=0.875),
    }
    before = t.utils.logging.is_progress_bar_enabled()
    t.utils.logging.disable_progress_bar()
    for name, model in made.items():
        model.save_pretrained(root / name)
    for name, processor in processors.items():
        processor.save_pretrained(root / name)
    if before:
        t.utils.logging.enable_progress_bar()
    return root


@pytest.fixture(scope="session")
def picture():
    """A smooth, colourful frame, so that resizing kernels are compared fairly; BGR, read only."""
    y, x = np.mgrid[0:240, 0:320].astype(np.float32)
    blue = 127 + 120 * np.sin(x / 17) * np.cos(y / 23)
    green = 255 * x / 320
    red = 127 + 100 * np.sin((x + 2 * y) / 11)
    image = np.stack([blue, green, red], axis=2).round().astype(np.uint8)
    image.flags.writeable = False
    return image
