from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from helpers.tiny_backbone import TinyBackbone
from mot_dinov3.nets.reid.network import ReidNetwork
from mot_dinov3.training.recipes.reid.learning import (
    EMBED_AT_ONCE,
    LearningNetwork,
    Weighting,
    blend,
    embed_pixels,
)
from mot_dinov3.training.recipes.reid.losses import centre_loss, classification_loss
from mot_dinov3.training.recipes.reid.pictures import normalise

PLAIN = Weighting(margin=0.3, centre=0.0, epsilon=-1.0, keep=0.0)


def build(weighting=PLAIN, classes=3):
    torch.manual_seed(0)
    samples = torch.randint(0, 256, (9, 3, 64, 32), dtype=torch.uint8)
    return LearningNetwork(ReidNetwork(TinyBackbone()), classes, weighting, samples)


def move(model):
    """Change every weight and every moment of what is learned."""
    with torch.no_grad():
        for value in model.network.state_dict().values():
            if value.dtype.is_floating_point:
                value.add_(torch.rand_like(value))
    return model


def test_a_blend_lies_between_what_it_was_and_what_was_learned():
    model = move(build())
    before, learned = model.before.state_dict(), model.network.state_dict()
    for share in (0.0, 0.25, 1.0):
        for name, value in blend(model, share).state_dict().items():
            if "running" in name or not value.dtype.is_floating_point:
                continue
            expected = share * learned[name] + (1 - share) * before[name]
            torch.testing.assert_close(value, expected)
    assert not torch.equal(before["pool.p"], learned["pool.p"])  # the model itself stays


def test_a_blend_has_the_statistics_of_its_own_maps():
    model = move(build())
    mixed = blend(model, 0.5)
    with torch.no_grad():
        pooled = mixed.describe(normalise(model.samples.pixels)).pooled
    torch.testing.assert_close(mixed.neck.running_mean, pooled.mean(0), atol=0.02, rtol=0.02)
    model.samples.pixels = model.samples.pixels[:1].expand(EMBED_AT_ONCE + 1, -1, -1, -1)
    assert torch.isfinite(blend(model, 0.5).neck.running_mean).all()  # no batch of one picture
    learned = model.network.state_dict()["neck.running_mean"]
    assert torch.equal(blend(model, 1.0).neck.running_mean, learned)


def test_the_network_of_before_neither_learns_nor_counts_batches():
    model = build(Weighting(0.3, 0.1, -1.0, 0.5)).train()
    before = {name: value.clone() for name, value in model.before.state_dict().items()}
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    pixels, labels = torch.randn(6, 3, 64, 32), torch.tensor([0, 0, 1, 1, 2, -1])
    sum(model.measure_loss(pixels, labels).values()).backward()
    optimizer.step()
    assert all(
        torch.equal(value, before[name]) for name, value in model.before.state_dict().items()
    )
    assert not model.before.training
    moved = model.network.state_dict()
    assert not torch.equal(moved["neck.running_mean"], before["neck.running_mean"])
    assert not torch.equal(moved["backbone.layers.0.weight"], before["backbone.layers.0.weight"])


def test_terms_are_those_of_the_vectors_after_and_of_the_pooled_ones_before_the_neck():
    weighting = Weighting(margin=0.3, centre=0.1, epsilon=2.0, keep=0.5)
    model = build(weighting).eval()
    pixels, labels = torch.randn(6, 3, 64, 32), torch.tensor([0, 0, 1, 1, 2, -1])
    nn.init.normal_(model.centres)
    model.network.neck.running_var.fill_(4.0)
    terms = model.measure_loss(pixels, labels)
    pooled, vectors, answer = model.network.describe(pixels)
    assert torch.equal(vectors, answer)
    logits = vectors @ model.classifier.weight.T
    torch.testing.assert_close(terms["class"], classification_loss(logits, labels, 2.0))
    torch.testing.assert_close(terms["centre"], 0.1 * centre_loss(pooled, labels, model.centres))
    torch.testing.assert_close(
        terms["triplet"], model.measure_triplets(vectors[:5], labels[:5])
    )  # a made-up picture is nobody's match, and no stranger either
    torch.testing.assert_close(terms["keep"], 0.5 * model.measure_change(pixels, vectors))
    assert set(build().measure_loss(pixels, labels)) == {"class", "triplet"}


@pytest.mark.parametrize("training", [True, False])
def test_pictures_are_embedded_in_parts_as_in_evaluation(training):
    network = build().network.train(training)
    pixels = torch.randint(0, 256, (EMBED_AT_ONCE + 3, 3, 32, 16), dtype=torch.uint8)
    vectors = embed_pixels(network, pixels)
    assert network.training is training
    with torch.no_grad():
        expected = network.eval()(normalise(pixels)).numpy()
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, expected, atol=1e-5)
