"""Flags of `train reid` that do not go together, and the way that the others mean."""

from __future__ import annotations

import pytest

from mot_dinov3.errors import UsageError
from mot_dinov3.training.recipes.reid.recipe import ReidRecipe
from mot_dinov3.training.recipes.reid.ways import find_way


@pytest.mark.parametrize(
    ("given", "way"),
    [
        ({}, "supervised"),
        ({"video": "v"}, "clips"),
        ({"video": "v", "shared": "d"}, "shared"),
        ({"continual": True, "unlabeled": "u"}, "adaptation"),
    ],
)
def test_the_flags_say_what_is_learned_from(given, way):
    assert find_way(ReidRecipe(**given)) == way


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"shared": "d"}, "--shared reads maps of whole pictures"),
        ({"shared": "d", "video": "v", "init": "x"}, "--init would not be read"),
        ({"shared": "d", "video": "v", "data": "x"}, "--data would not be read"),
        ({"continual": True, "unlabeled": "u", "shared": "d"}, "--shared would not be read"),
    ],
)
def test_flags_that_would_not_be_read_are_refused(given, words):
    with pytest.raises(UsageError, match=words):
        ReidRecipe(**given)
