"""From what `train reid` can learn, and which flags go with it; a file without torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mot_dinov3.errors import UsageError

if TYPE_CHECKING:
    from mot_dinov3.training.recipes.reid.recipe import ReidRecipe

NONE = "none"
"""What `--init` says to begin with random weights."""
ALONE = (
    ("continual", "--unlabeled", ("data", "synthetic", "video", "shared")),
    ("video", "its tracks", ("data", "synthetic", "val")),
)
"""Way to learn, what it learns from, and the fields that it does not read."""


def find_way(recipe: ReidRecipe) -> str:
    """The name of the module that a recipe learns with."""
    if recipe.continual:
        return "adaptation"
    if recipe.shared:
        return "shared"
    return "clips" if recipe.video else "supervised"


def check_ways(recipe: ReidRecipe) -> None:
    """Refuse flags that do not go together.

    Raises:
        UsageError: it names them.
    """
    if recipe.continual and not recipe.unlabeled:
        raise UsageError(
            "--continual learns from pictures without labels, and none are given.",
            fix="Add --unlabeled DIR, such as a folder that `crops` wrote.",
        )
    if recipe.unlabeled and not recipe.continual:
        raise UsageError("--unlabeled is read with --continual only.", fix="Add --continual.")
    for way, source, others in ALONE:
        given = [name for name in others if getattr(recipe, name)]
        if getattr(recipe, way) and given:
            raise UsageError(
                f"--{way} learns from {source} alone, and --{given[0]} would not be read.",
                fix=f"Leave --{given[0]} out.",
            )
    if recipe.shared and not recipe.video:
        raise UsageError(
            "--shared reads maps of whole pictures, and none are given.",
            fix="Add --video DIR, a MOTChallenge sequence with pictures and gt.",
        )
    if recipe.shared and recipe.init != NONE:
        raise UsageError(
            "--shared learns a head from nothing, and --init would not be read.",
            fix="Leave --init out.",
        )
    if recipe.blend < 1 and recipe.init == NONE:
        raise UsageError(
            "--blend mixes what was learned with what the network began with, which is random.",
            fix="Add --init FILE, or leave --blend out.",
        )
