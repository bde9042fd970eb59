"""Each term of the loss against the formula that its docstring names, picture by picture."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn.functional import normalize

from mot_dinov3.training.recipes.reid.losses import (
    NO_LABEL,
    SMOOTHING,
    build_triplet_loss,
    centre_loss,
    classification_loss,
    similarity_loss,
)


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.mark.parametrize("epsilon", [0.0, -1.0, 2.0])
def test_classes_are_learned_by_smoothed_cross_entropy_and_one_coefficient_more(epsilon):
    logits, labels = torch.randn(4, 5), torch.tensor([0, 3, 3, 1])
    expected = 0.0
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        total = sum(map(math.exp, row))
        shares = [math.exp(value) / total for value in row]
        target = [SMOOTHING / 5 + (1 - SMOOTHING) * (i == label) for i in range(5)]
        entropy = -sum(t * math.log(p) for t, p in zip(target, shares, strict=True))
        expected += (entropy + epsilon * (1 - shares[label])) / 4
    assert float(classification_loss(logits, labels, epsilon)) == pytest.approx(expected, rel=1e-5)


def test_made_up_pictures_should_look_like_every_class_alike():
    logits = torch.randn(3, 6)
    labels = torch.tensor([2, NO_LABEL, NO_LABEL])
    known = classification_loss(logits[:1], labels[:1], -1.0)
    uniform = [-sum(row.log_softmax(0)) / 6 for row in logits[1:]]
    expected = float(known + sum(uniform)) / 3
    assert float(classification_loss(logits, labels, -1.0)) == pytest.approx(expected, rel=1e-5)


def test_a_batch_of_made_up_pictures_alone_is_least_where_all_classes_are_equal():
    labels = torch.full((2,), NO_LABEL)
    even = classification_loss(torch.zeros(2, 4), labels, -1.0)
    assert float(even) == pytest.approx(math.log(4), rel=1e-6)
    assert float(classification_loss(torch.eye(4)[:2], labels, -1.0)) > float(even)


def test_centres_pull_half_the_squared_distance_of_known_pictures():
    pooled, centres = torch.randn(4, 3), torch.randn(5, 3)
    labels = torch.tensor([4, NO_LABEL, 0, 4])
    apart = [
        sum((a - b) ** 2 for a, b in zip(pooled[i].tolist(), centres[k].tolist(), strict=True))
        for i, k in ((0, 4), (2, 0), (3, 4))
    ]
    assert float(centre_loss(pooled, labels, centres)) == pytest.approx(sum(apart) / 6, rel=1e-5)
    assert float(centre_loss(pooled, torch.full((4,), NO_LABEL), centres)) == 0


@pytest.mark.parametrize("margin", [0.1, 0.8])
def test_triplets_are_those_of_the_hardest_match_and_the_hardest_stranger(margin):
    vectors, labels = torch.randn(12, 4), torch.arange(12) // 3
    miner, triplet = build_triplet_loss(margin)
    found = float(triplet(vectors, labels, miner(vectors, labels)))
    cosines = (normalize(vectors) @ normalize(vectors).T).tolist()
    losses = []
    for i in range(12):
        match = min(cosines[i][j] for j in range(12) if j != i and labels[j] == labels[i])
        stranger = max(cosines[i][j] for j in range(12) if labels[j] != labels[i])
        losses.append(max(0.0, stranger - match + margin))
    broken = [loss for loss in losses if loss > 0]  # the library's mean is over these
    assert found == pytest.approx(sum(broken) / len(broken), rel=1e-5)


def test_a_batch_of_one_identity_has_no_triplet_and_a_gradient_of_zero():
    vectors = torch.randn(4, 3, requires_grad=True)
    labels = torch.zeros(4, dtype=torch.int64)
    miner, triplet = build_triplet_loss(0.3)
    loss = triplet(vectors, labels, miner(vectors, labels))
    loss.backward()
    assert float(loss.detach()) == 0
    assert float(vectors.grad.abs().max()) == 0


def test_what_is_kept_are_cosines_and_not_the_space():
    vectors, before = torch.randn(5, 3), torch.randn(5, 3)
    expected = 0.0
    for i in range(5):
        for j in range(5):
            pairs = [torch.cosine_similarity(some[i], some[j], dim=0) for some in (vectors, before)]
            expected += float(pairs[0] - pairs[1]) ** 2 / 25
    assert float(similarity_loss(vectors, before)) == pytest.approx(expected, rel=1e-4)
    turn = torch.linalg.qr(torch.randn(3, 3))[0]
    assert float(similarity_loss(7 * before @ turn, before)) == pytest.approx(0, abs=1e-10)
