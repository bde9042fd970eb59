"""Makes the crops that a recipe learns from, where a video or a finished run is named instead."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from mot_dinov3.commands import crops
from mot_dinov3.errors import UsageError
from mot_dinov3.training.recipes.base import Recipe

LOG_SUFFIX = ".jsonl"


def prepare_crops(recipe: Recipe[Any, Any], out: str) -> Recipe[Any, Any]:
    """The recipe with a folder of tracklets in the place of a video; any other as it is.

    The crops lie beside the run, in `OUT-crops`, and are not made again if they are there.

    Args:
        recipe: one with a field `unlabeled` may name a video or the frame log of a run.
        out: the folder of the run.

    Raises:
        MotError: the crops cannot be made.
    """
    path = Path(getattr(recipe, "unlabeled", ""))
    if not path.is_file():
        return recipe
    folder = Path(f"{out.rstrip('/')}-crops")
    if not folder.is_dir():
        words = ["--source", str(path)]
        if path.suffix.lower() == LOG_SUFFIX:
            words = ["--jsonl", str(path), *_name_source(recipe, path)]
        crops.run(crops.parser().parse_args([*words, "--out", str(folder)]))
    changes: dict[str, Any] = {"unlabeled": str(folder), "tracklets": True}
    return replace(recipe, **changes)


def _name_source(recipe: Recipe[Any, Any], log: Path) -> list[str]:
    source = str(getattr(recipe, "source", ""))
    if not source:
        raise UsageError(
            f"'{log}' is a frame log, which does not name its video.",
            fix="Add --source VIDEO, the video that was tracked.",
        )
    return ["--source", source]
