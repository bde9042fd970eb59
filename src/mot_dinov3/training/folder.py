"""The folder of a training run: whose it is, where it stands, and its checkpoints.

run.json    the recipe's kind and settings
log.jsonl   what was learned, step by step
curve.html  the same as a page of plots
best/       the checkpoint to use
last/       the checkpoint of the latest weights
state.pt    all that a resumed run needs to go on bit for bit
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, fields
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from mot_dinov3.errors import InputError, UsageError, cannot_write
from mot_dinov3.io.write.atomic import write_text
from mot_dinov3.io.write.paths import publish, reserve_partial
from mot_dinov3.runtime.documents import read_json
from mot_dinov3.training.recipes.base import Recipe, Suite

RUN_FILE, STATE_FILE, LAST = "run.json", "state.pt", "last"
UNFINISHED = ("*.partial*", "*.replaced")
"""Names of what a killed run was writing."""


class RunFolder:
    """The folder of one run of one recipe.

    Attributes:
        path: where it is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._claimed = False

    def claim(self, recipe: Recipe[Any, Any] | Suite, kind: str, *, resume: bool) -> None:
        """Make the folder, or make sure that the run in it is this one.

        Args:
            recipe: what will run.
            kind: what tells runs of this recipe from others.
            resume: whether a run may be there already.

        Raises:
            OutputError: the folder cannot be made.
            UsageError: it holds another run, or one that was not to be resumed.
        """
        own = json.loads(json.dumps({"recipe": kind, "settings": asdict(recipe)}))
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(self.path, error) from error
        there = self._read_run()
        if there is None:
            write_text(self.path / RUN_FILE, json.dumps(own, indent=2))
            self._claimed = True
        elif there.get("recipe") != kind:
            raise UsageError(
                f"'{self.path}' holds a run of '{there.get('recipe')}', not of '{kind}'.",
                fix="Choose another folder with --out.",
            )
        elif not resume:
            raise UsageError(
                f"'{self.path}' holds a run already.",
                fix="Add --resume to go on with it, or choose another folder with --out.",
            )
        else:
            self._require_same(there.get("settings", {}), own["settings"], recipe)
        for pattern in UNFINISHED:
            for path in self.path.glob(pattern):
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def release(self) -> None:
        """Leave the folder as it was, if it was claimed for a run that could not begin."""
        if self._claimed:
            (self.path / RUN_FILE).unlink(missing_ok=True)
            with suppress(OSError):  # it holds something else
                self.path.rmdir()

    def _read_run(self) -> dict[str, Any] | None:
        path = self.path / RUN_FILE
        try:
            document = read_json(path)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise InputError(
                f"'{path}' cannot be read: {error}.", fix="Choose another folder with --out."
            ) from error
        return document if isinstance(document, dict) else {}

    def _require_same(
        self, before: Mapping[str, Any], now: Mapping[str, Any], recipe: Recipe[Any, Any] | Suite
    ) -> None:
        for item in fields(recipe):
            if before.get(item.name) != now[item.name]:
                name = item.metadata.get("flag", item.name)
                raise UsageError(
                    f"The run in '{self.path}' was begun with {name} {before.get(item.name)}, "
                    f"not {now[item.name]}.",
                    fix="Resume it with the settings it began with, or choose another --out.",
                )

    def save_state(self, state: Mapping[str, Any]) -> None:
        """Replace the state in one step, so that a kill leaves the old one or the new one.

        Raises:
            OutputError: it cannot be written.
        """
        path = self.path / STATE_FILE
        partial = reserve_partial(path)
        try:
            torch.save(dict(state), partial)
        except (OSError, RuntimeError) as error:  # torch has both for a full disk
            partial.unlink(missing_ok=True)
            raise cannot_write(path, OSError(str(error))) from error
        publish(partial, path, replace=True)

    def load_state(self) -> dict[str, Any] | None:
        """Where the run stands; None if it was killed before its first state.

        Raises:
            InputError: the file is damaged.
        """
        path = self.path / STATE_FILE
        if not path.exists():
            return None
        try:
            state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        except (OSError, RuntimeError, EOFError, UnpicklingError) as error:
            raise InputError(
                f"The state in '{path}' is damaged, so this run cannot go on.",
                fix="Begin a new one in another folder with --out.",
            ) from error
        return state
