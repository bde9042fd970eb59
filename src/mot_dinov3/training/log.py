"""The log of a training run: a file of JSON lines, without gaps or repetitions after a kill."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mot_dinov3.errors import cannot_write
from mot_dinov3.io.write.atomic import AtomicTextFile

LOG_FILE = "log.jsonl"

Entry = Mapping[str, Any]


class TrainingLog:
    """Appends one JSON object a line.

    An entry has `step`, `seconds` of training so far, and either `rate`, `loss`, `terms` and
    `gradient`, or the figures of an evaluation under `evaluation`.
    """

    def __init__(self, folder: Path, step: int) -> None:
        """Open the log of a run that goes on after `step` steps; later entries are dropped.

        Raises:
            OutputError: the file cannot be written.
        """
        self._path = folder / LOG_FILE
        kept = [entry for entry in read_log(folder) if entry["step"] <= step]
        with AtomicTextFile(self._path) as file:
            for entry in kept:
                file.write_line(json.dumps(entry))

    def append(self, entry: Entry) -> None:
        """Add one line; it is on its way to the disk when this returns.

        Raises:
            OutputError: it cannot be written.
        """
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")
        except OSError as error:
            raise cannot_write(self._path, error) from error


def read_log(folder: Path) -> list[dict[str, Any]]:
    """The entries of a run's log; none if there is no log. A line that a kill tore is left out."""
    try:
        lines = (folder / LOG_FILE).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    entries = []
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and "step" in entry:
            entries.append(entry)
    return entries
