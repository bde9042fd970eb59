"""The floor plan as a test: imports only go down, and stay inside the package's rules."""

from __future__ import annotations

import ast
from pathlib import Path

import mot_dinov3

SRC = Path(mot_dinov3.__file__).parent

FLOORS = [
    {"__init__", "values", "config", "runtime", "errors", "registry", "wording"},
    {"io", "nets"},
    {"tracking", "data"},
    {"perception", "scheduling", "evaluation"},
    {"systems", "outputs"},
    {"runs", "training"},
    {"lab"},
    {"commands"},
]
FLOOR = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}
MAX_LINES = 300


def imported_rooms(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        inside = [name.split(".")[1] for name in names if name.startswith("mot_dinov3.")]
        yield from (room for room in inside if not room.startswith("__"))


def test_imports_only_go_down():
    for path in SRC.rglob("*.py"):
        room = path.relative_to(SRC).with_suffix("").parts[0]
        for other in imported_rooms(path):
            assert other == room or FLOOR[other] < max(FLOOR[room], 1), f"{path} -> {other}"


def test_files_stay_readable():
    long = {p.name: n for p in SRC.rglob("*.py") if (n := p.read_text().count("\n")) > MAX_LINES}
    assert not long
