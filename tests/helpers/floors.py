"""The plan of the package: which room stands on which floor, and what must never be imported.

`draw_floors` makes the picture of docs/develop/design.md of it and of the imports in the code.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
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


@cache
def find_imports_of_rooms() -> dict[str, set[str]]:
    """Room above the ground floor -> the other such rooms that its files import from."""
    found: dict[str, set[str]] = {room: set() for rooms in FLOORS[1:] for room in rooms}
    for path in PACKAGE.rglob("*.py"):
        room = room_of(path)
        if room in found:
            found[room] |= (imported_rooms(path) & found.keys()) - {room}
    return found


def drop_implied(imports: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """The same imports without those that a chain of others leads to as well."""
    reached: dict[str, set[str]] = {}
    for rooms in FLOORS[1:]:  # from the ground up, so what a room imports is there already
        for room in rooms:
            reached[room] = imports[room].union(*(reached[other] for other in imports[room]))
    return {
        room: others - set().union(*(reached[other] for other in others))
        for room, others in imports.items()
    }


def draw_floors() -> str:
    """The floors and the imports between rooms: a mermaid diagram, and a table of all imports."""
    imports = find_imports_of_rooms()
    lines = ["```mermaid", "flowchart TD"]
    for level, rooms in reversed([*enumerate(FLOORS)]):
        names = [f"    {room}" for room in rooms]
        lines += [f'  subgraph floor{level}["floor {level}"]', *names, "  end"]
    for room in sorted(imports, key=FLOOR.__getitem__, reverse=True):
        for other in sort_by_floor(drop_implied(imports)[room]):
            lines.append(f"  {room} --> {other}")
    lines.append(f"  {' & '.join(FLOORS[1])} ~~~ {' & '.join(FLOORS[0])}")  # only keeps them below
    lines += ["```", "", "| room | imports from, beside the ground floor |", "|---|---|"]
    for room in sorted(imports, key=FLOOR.__getitem__, reverse=True):
        others = ", ".join(f"`{other}`" for other in sort_by_floor(imports[room]))
        lines.append(f"| `{room}` | {others or 'nothing'} |")
    return "\n".join(lines) + "\n"


def sort_by_floor(rooms: set[str]) -> list[str]:
    """The rooms from the top floor down, in the order of the plan on each floor."""
    order = [room for floor in reversed(FLOORS) for room in floor]
    return sorted(rooms, key=order.index)
