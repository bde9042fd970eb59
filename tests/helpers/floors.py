"""The plan of the package: which room stands on which floor, and what must never be imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import mot_dinov3

PACKAGE = Path(mot_dinov3.__file__).parent

FLOORS = (
    ("values", "config", "runtime", "errors", "registry", "wording"),
    ("io", "nets"),
    ("tracking", "data"),
    ("perception", "scheduling", "evaluation"),
    ("systems", "outputs"),
    ("runs", "training"),
    ("lab",),
    ("commands",),
)
"""From the ground up; a room imports from lower floors only, on the ground floor from any other."""

FLOOR = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}

PRODUCT = ("runs", "systems", "outputs", "perception", "scheduling", "tracking", "io")
NEVER = (
    *((room, "commands") for room in FLOOR if room != "commands"),
    *((room, other) for room in PRODUCT for other in ("lab", "training")),
    ("nets", "io"),
    ("training", "runs"),
)
"""Pairs (room, other): no file of `room` imports from `other`."""

BEFORE_THE_DOOR = ("runs", "outputs")
BEHIND_THE_DOOR = (
    *("perception", "scheduling", "tracking"),
    *("systems.assembly", "systems.loading", "systems.modular", "systems.recording"),
)
"""What jobs, sinks and reports never import: they know a system by `systems/base.py` alone."""
OWN_USE = {"runs/relink/linking.py": "tracking.assignment"}
"""File -> what it imports all the same, as it matches tracklets of its own."""


def imported_modules(path: Path, *, top_level: bool = False) -> Iterator[str]:
    """Modules of the package, without its name, that the file imports anywhere or at its top."""
    tree = ast.parse(path.read_text())
    for node in tree.body if top_level else ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        yield from (name.partition(".")[2] for name in names if name.startswith("mot_dinov3."))


def imported_rooms(path: Path) -> set[str]:
    """Rooms of the package that the file imports from."""
    rooms = {name.partition(".")[0] for name in imported_modules(path)}
    return {room for room in rooms if not room.startswith("__")}


def room_of(path: Path) -> str:
    """The room that a file of the package belongs to."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]
