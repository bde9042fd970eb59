from __future__ import annotations

import numpy as np

from mot_dinov3.io.formats.identity_gallery import KnownIdentity
from mot_dinov3.runs.identities.book import Found, IdentityBook, IdentityRule, average

RULE = IdentityRule(gate=0.5, margin=0.003)


def draw_units(rng, *shape):
    rows = rng.normal(size=shape) + 1.0
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


def find_one_by_one(identities, vectors, class_name, refused, rule):
    """The same rule, an identity at a time."""
    able = [one for one in identities if one.class_name == class_name and one.id not in refused]
    order = sorted(
        ((float(average(one.vectors) @ average(vectors)), one) for one in able),
        key=lambda pair: -pair[0],
    )
    if not order or order[0][0] < rule.gate:
        return None
    margin = rule.widen(len(vectors), len(order[0][1].vectors))
    if len(order) > 1 and order[1][0] > order[0][0] - margin:
        return None
    return order[0][1].id


def test_the_book_finds_what_a_comparison_one_by_one_finds():
    rng = np.random.default_rng(0)
    names = ("person", "car")
    identities = [
        KnownIdentity(3 * n + 1, "", names[n % 2], "", 0.0, draw_units(rng, 1 + n % 4, 6))
        for n in range(150)
    ]
    book, found = IdentityBook(identities), []
    for _ in range(300):
        vectors = draw_units(rng, 3, 6)
        class_name = ("person", "car", "dog")[rng.integers(3)]
        refused = set(rng.integers(1, 451, 200).tolist())
        one = book.find(vectors, class_name, refused, RULE)
        expected = find_one_by_one(identities, vectors, class_name, refused, RULE)
        assert (one and one.id) == expected
        found.append(expected)
    assert 40 < sum(number is not None for number in found) < 270


def test_the_only_identity_of_a_class_needs_no_margin():
    vectors = draw_units(np.random.default_rng(1), 4, 6)
    book = IdentityBook([KnownIdentity(5, "Anna", "person", "", 0.0, vectors)])
    found = book.find(vectors, "person", (), RULE)
    assert isinstance(found, Found)
    assert found.id == 5
    assert book.find(vectors, "person", {5}, RULE) is None
    assert book.find(vectors, "car", (), RULE) is None
