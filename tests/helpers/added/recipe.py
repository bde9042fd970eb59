"""A recipe that is added by this file and one line of the table: a straight line."""

from __future__ import annotations

from dataclasses import dataclass

from helpers.fake_recipe import LineRecipe

LINE = ("helpers.added.recipe:SlopeRecipe", "learn a straight line from noisy points")


@dataclass(frozen=True, slots=True)
class SlopeRecipe(LineRecipe):
    """`LineRecipe` under a kind of its own."""

    kind_name: str = "slope"
