"""The floor plan as a test: imports only go down, and stay inside the package's rules."""

from __future__ import annotations

import re
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter

import pytest

from helpers.floors import (
    BEFORE_THE_DOOR,
    BEHIND_THE_DOOR,
    FLOOR,
    NEVER,
    OWN_USE,
    PACKAGE,
    imported_modules,
    imported_rooms,
    room_of,
)
from helpers.places import SOURCE

MAX_LINES, MAX_ROOMS, MAX_FILES = 300, 17, 6
FILES = [path for path in sorted(PACKAGE.rglob("*.py")) if path.parent != PACKAGE]


def test_imports_only_go_down():
    upwards = {
        f"{path.relative_to(PACKAGE)} -> {other}"
        for path in FILES
        for other in imported_rooms(path)
        if other != room_of(path) and FLOOR[other] >= max(FLOOR[room_of(path)], 1)
    }
    assert not upwards


@pytest.mark.parametrize(("room", "other"), NEVER)
def test_nevers(room, other):
    files = [path for path in FILES if room_of(path) == room]
    assert not [path for path in files if other in imported_rooms(path)]


@pytest.mark.parametrize("room", BEFORE_THE_DOOR)
def test_every_system_comes_through_one_door(room):
    files = [path for path in FILES if room_of(path) == room]
    assert not {
        f"{path.relative_to(PACKAGE)} -> {module}"
        for path in files
        for module in imported_modules(path)
        if f"{module}.".startswith(tuple(f"{hidden}." for hidden in BEHIND_THE_DOOR))
        and not f"{module}.".startswith(f"{OWN_USE.get(str(path.relative_to(PACKAGE)))}.")
    }


def test_what_lies_behind_the_door_exists():
    for hidden in BEHIND_THE_DOOR:
        path = PACKAGE.joinpath(*hidden.split("."))
        assert path.is_dir() or path.with_suffix(".py").is_file()
    assert all((PACKAGE / file).is_file() for file in OWN_USE)


def test_the_plan_names_every_room_and_no_other():
    entries = {path.stem for path in PACKAGE.iterdir() if path.is_dir() or path.suffix == ".py"}
    assert {name for name in entries if not name.startswith("__")} == set(FLOOR)


def test_few_doors_stand_on_the_landing():
    entries = [path for path in PACKAGE.iterdir() if path.name != "__pycache__"]
    assert sum(path.is_dir() for path in entries) <= MAX_ROOMS
    assert sum(path.is_file() for path in entries) <= MAX_FILES


def test_no_circle_of_imports():
    modules = {".".join(path.relative_to(PACKAGE).with_suffix("").parts): path for path in FILES}
    modules = {name.removesuffix(".__init__"): path for name, path in modules.items()}
    graph = {
        name: set(map(known_in(modules), imported_modules(path, top_level=True))) - {name, ""}
        for name, path in modules.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def known_in(modules):
    """The longest beginning of a dotted name that is a module; an empty text if there is none."""

    def known(name):
        while name and name not in modules:
            name = name.rpartition(".")[0]
        return name

    return known


def test_tracking_loads_neither_laboratory_nor_training():
    code = "import mot_dinov3.commands.track"
    run = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code],
        env={"PYTHONPATH": str(SOURCE)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    loaded = set(re.findall(r"mot_dinov3\.(\w+)", run.stderr))
    assert "commands" in loaded
    assert not loaded & {"lab", "training"}


def test_files_stay_readable():
    long = {
        p.name: n for p in PACKAGE.rglob("*.py") if (n := p.read_text().count("\n")) > MAX_LINES
    }
    assert not long
