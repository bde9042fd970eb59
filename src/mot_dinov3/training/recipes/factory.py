"""The table of recipes; a new one is one file and one line here."""

from __future__ import annotations

from typing import Any, TypeAlias, cast

from mot_dinov3.registry import Registry
from mot_dinov3.training.recipes.base import Recipe, Suite

RECIPES = Registry(
    "recipe",
    {
        "demo": (
            "mot_dinov3.training.recipes.demo.suite:DemoSuite",
            "the small detector and embedder that ship in the package, on drawn streets",
        ),
        "reid": (
            "mot_dinov3.training.recipes.reid.recipe:ReidRecipe",
            "a network that tells identities apart, from pictures of known ones",
        ),
        "detector": (
            "mot_dinov3.training.recipes.detector.recipe:DetectorRecipe",
            "a detection transformer on a frozen backbone, from pictures with boxes",
        ),
        "gan": (
            "mot_dinov3.training.recipes.gan.recipe:GanRecipe",
            "a generator of pictures that look like crops",
        ),
        "sot": (
            "mot_dinov3.training.recipes.sot.recipe:SotRecipe",
            "a network that finds one object again, from sequences or drawn scenes",
        ),
        "samba": (
            "mot_dinov3.training.recipes.samba.recipe:SambaRecipe",
            "a motion model for tracks that move together, from trajectories",
        ),
        "motr": (
            "mot_dinov3.training.recipes.motr.recipe:MotrRecipe",
            "a tracker in one network, from sequences with pictures and identities",
        ),
    },
)

Member: TypeAlias = Recipe[Any, Any] | Suite


def recipe_class(name: str) -> type[Member]:
    """The class of a recipe, whose fields are its flags.

    Raises:
        UnknownNameError: the name is not in the table.
    """
    return cast("type[Member]", RECIPES.load(name))
