"""The embedder that ships, in every precision that a CPU has."""

from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.config import EmbedderConfig
from mot_dinov3.perception.features.base import Placement
from mot_dinov3.perception.features.factory import create_embedder

BOXES = np.array([[10, 10, 60, 110], [80, 20, 150, 160]], np.float32)


def demo_vectors(amp):
    image = np.random.default_rng(0).integers(0, 256, (180, 200, 3), dtype=np.uint8)
    embedder = create_embedder(EmbedderConfig(embed_model="demo", embed_amp=amp), Placement("cpu"))
    return embedder.embed(image, BOXES)


@pytest.mark.parametrize("amp", ["bf16", "fp16"])
def test_half_precision_weights_run_in_any_precision(amp):
    """The file is fp16: what is loaded has to be float32, or autocast refuses it."""
    full, short = demo_vectors("off"), demo_vectors(amp)
    assert full.dtype == np.float32
    assert ((full * short).sum(axis=1) > 0.99).all()
