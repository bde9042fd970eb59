"""What a fault is, and the ways to make one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from mot_dinov3.lab.selftest.cases import CannotRunError
from mot_dinov3.lab.selftest.program import ProcessSetup
from mot_dinov3.lab.selftest.scenes import SelftestScene

Prepare: TypeAlias = Callable[[Path, SelftestScene], AbstractContextManager[ProcessSetup]]
"""Makes the fault in a directory and keeps it up while the program runs."""


@contextmanager
def change_nothing(directory: Path, scene: SelftestScene) -> Iterator[ProcessSetup]:
    """Change nothing: the words alone are the fault."""
    yield ProcessSetup()


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault and what has to come of it.

    Attributes:
        name: unique in the table.
        words: the command line; `{track}` stands for a whole run over a short clip (`{clip}`,
            `{boxes}`, `{journal}`) without models (`{light}`).
        code: the documented exit code.
        says: a regular expression for the sentence and the remedy.
        prepare: makes the fault.
        leaves: the files that must be there afterwards, and the only new ones.
    """

    name: str
    words: str
    code: int
    says: str
    prepare: Prepare = change_nothing
    leaves: tuple[str, ...] = ()


def place_files(contents: Mapping[str, bytes | str]) -> Prepare:
    """Place files before the run: name -> content; a name with an end slash is a directory."""

    @contextmanager
    def prepare(directory: Path, scene: SelftestScene) -> Iterator[ProcessSetup]:
        for name, content in contents.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if name.endswith("/"):
                path.mkdir()
            else:
                path.write_bytes(content.encode() if isinstance(content, str) else content)
        yield ProcessSetup()

    return prepare


def apply_change(make: Callable[[Path, SelftestScene], None]) -> Prepare:
    """Let a function change the directory before the run."""

    @contextmanager
    def prepare(directory: Path, scene: SelftestScene) -> Iterator[ProcessSetup]:
        make(directory, scene)
        yield ProcessSetup()

    return prepare


def set_variables(values: Mapping[str, str]) -> Prepare:
    """Set variables for the run."""

    @contextmanager
    def prepare(directory: Path, scene: SelftestScene) -> Iterator[ProcessSetup]:
        yield ProcessSetup(variables=dict(values))

    return prepare


def patch_python(code: str, more: Prepare = change_nothing) -> Prepare:
    """Run Python in the new process before the program, to break what it stands on."""

    @contextmanager
    def prepare(directory: Path, scene: SelftestScene) -> Iterator[ProcessSetup]:
        place = directory.parent / f"{directory.name}-patch"
        place.mkdir()
        (place / "sitecustomize.py").write_text(code, encoding="utf-8")
        with more(directory, scene) as around:
            yield ProcessSetup({**around.variables, "PYTHONPATH": str(place)}, around.file_limit)
        shutil.rmtree(place)

    return prepare


def hide_package(name: str, more: Prepare = change_nothing) -> Prepare:
    """Let a package look as if it were not installed."""
    code = f"""
import importlib.metadata, importlib.util, sys

def gone(wanted):
    return wanted == {name!r} or wanted.startswith({name + "."!r})

class Nowhere:
    def find_spec(self, wanted, path=None, target=None):
        if gone(wanted):
            raise ModuleNotFoundError("No module named " + repr(wanted), name=wanted)

find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda wanted, *more: None if gone(wanted) else find_spec(wanted, *more)
sys.meta_path.insert(0, Nowhere())
"""
    return patch_python(code, more)


def drop_privilege() -> tuple[str, ...]:
    """Words that start a program which has to keep to permissions, as root does not.

    Raises:
        CannotRunError: this is root, and nothing here takes its privilege away.
    """
    if os.geteuid() != 0:
        return ()
    if not shutil.which("setpriv"):
        raise CannotRunError("root may do anything, and there is no 'setpriv' to forbid it")
    return ("setpriv", "--bounding-set=-dac_override,-dac_read_search")


def lock(name: str, mode: int, more: Prepare = change_nothing) -> Prepare:
    """Give a file or directory the permissions `mode` while the program runs."""

    @contextmanager
    def prepare(directory: Path, scene: SelftestScene) -> Iterator[ProcessSetup]:
        with more(directory, scene) as around:
            path = directory / name
            usual = path.stat().st_mode
            path.chmod(mode)
            try:
                yield ProcessSetup(around.variables, around.file_limit, drop_privilege())
            finally:
                path.chmod(usual)

    return prepare
