"""k-reciprocal encoding as the paper writes it, set by set, and vectors of people to try it on."""

from __future__ import annotations

import numpy as np


def unit(rows):
    rows = np.asarray(rows, np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def crowd(people=6, each=8, dim=16, noise=0.35, seed=0):
    """Galleries of people, one after another, and who each row is."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(people, dim))
    who = np.repeat(np.arange(people), each)
    return unit(centres[who] + noise * rng.normal(size=(people * each, dim)) * 4), who


def slow_order(vectors):
    """All rows as each row has them near, itself first."""
    similar = vectors @ vectors.T
    rows = range(len(vectors))
    return [sorted(rows, key=lambda g: (g != p, -similar[p, g])) for p in rows]


def slow_features(vectors, k):
    """The encoding of eq. 3, 5 and 7."""
    similar, order = vectors @ vectors.T, slow_order(vectors)

    def mutual(p, k):
        return {g for g in order[p][: k + 1] if p in order[g][: k + 1]}

    out = np.zeros((len(vectors), len(vectors)))
    for p in range(len(vectors)):
        near = mutual(p, k)
        robust = set(near)
        for q in near:
            half = mutual(q, k // 2)
            if len(near & half) >= 2 / 3 * len(half):
                robust |= half
        for g in robust:
            out[p, g] = np.exp(-(1 - similar[p, g]))
    return out


def slow_jaccard(vectors, k1, k2):
    """The distance of eq. 10 after the query expansion of eq. 11."""
    features, order = slow_features(vectors, k1), slow_order(vectors)
    mean = np.stack([features[near[:k2]].mean(axis=0) for near in order])
    return np.array(
        [[1 - np.minimum(a, b).sum() / np.maximum(a, b).sum() for b in mean] for a in mean]
    )
