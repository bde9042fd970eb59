"""Tells trackio of a run, which then shows it beside other runs, on this machine.

`log.jsonl` and the curve are written in any case. Nothing leaves the machine unless the user has
told trackio so, by its own `TRACKIO_SPACE_ID`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from mot_dinov3.errors import not_installed

if TYPE_CHECKING:
    from mot_dinov3.training.engine import StepReport
    from mot_dinov3.training.recipes.base import Recipe
    from mot_dinov3.training.settings import TrainingRun

PACKAGE = "trackio"


class TrackioLog:
    """Logs what a run logs, as a run of trackio under the name of its folder.

    Raises:
        ModelError: trackio is not installed.
    """

    def __init__(self, recipe: Recipe[Any, Any], where: TrainingRun) -> None:
        if find_spec(PACKAGE) is None:
            raise not_installed(PACKAGE, PACKAGE, "--report trackio")
        import trackio

        self._trackio = trackio
        name = Path(where.out).name
        settings = {key: value for key, value in asdict(recipe).items() if value != ""}
        trackio.init(project=recipe.kind, name=name, config=settings, resume="allow")

    def __enter__(self) -> TrackioLog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._trackio.finish()

    def __call__(self, report: StepReport) -> None:
        """Log what was logged after a step."""
        if report.entry:
            self._trackio.log(flatten(report.entry), step=report.step)


def flatten(entry: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of an entry of the log; a table inside it comes out as `table/name`."""
    out: dict[str, float] = {}
    for name, value in entry.items():
        if isinstance(value, Mapping):
            out |= {f"{name}/{key}": number for key, number in flatten(value).items()}
        elif isinstance(value, (int, float)) and name != "step":
            out[name] = value
    return out
