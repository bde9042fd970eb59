from __future__ import annotations

import pytest

from mot_dinov3.config import EmbedderConfig
from mot_dinov3.errors import UnknownNameError
from mot_dinov3.perception.features.prior import find_prior


@pytest.mark.parametrize(
    ("embedder", "model", "trusted"),
    [
        ("onnx", "reid.onnx", True),
        ("openvino", "reid.xml", True),
        ("dino", "demo", False),
        ("none", "", True),
        ("dino", "", False),
        ("resnet", "", False),
    ],
)
def test_models_made_to_tell_real_people_apart_are_trusted(embedder, model, trusted):
    assert find_prior(EmbedderConfig(embedder=embedder, embed_model=model)).trusted == trusted


def test_a_wrong_name_is_said():
    with pytest.raises(UnknownNameError):
        find_prior(EmbedderConfig(embedder="nonsense"))
