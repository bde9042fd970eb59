"""The kinds of problem a user can have: each one sentence, one remedy, one exit code."""

from __future__ import annotations

import difflib
import re
import traceback
from collections.abc import Iterable, Mapping, Sequence
from errno import EACCES, EPERM
from itertools import islice
from pathlib import Path

from mot_dinov3.wording import install_command, make_printable

EXIT_OK = 0
EXIT_BUG = 1
EXIT_USAGE = 2
EXIT_INPUT = 3
EXIT_PARTIAL = 4
EXIT_OUTPUT = 5
EXIT_MODEL = 6
EXIT_DEVICE = 7
EXIT_SIGINT = 130
EXIT_SIGTERM = 143

PACKAGE = Path(__file__).resolve().parent
MOST_NAMES = 2000
"""Names of a directory that are compared with one that is missing in it."""
MOST_LETTERS = 160
"""Letters of another program's words in a message."""


class MotError(Exception):
    """A problem to explain in words: what happened, then what to do about it.

    Attributes:
        what: one sentence that says what is wrong, on one line: names in it steer no terminal.
        fix: what the user can do about it; may have several lines.
        exit_code: what the process returns when nothing better is known.
    """

    exit_code = EXIT_USAGE

    def __init__(self, what: str, *, fix: str = "") -> None:
        self.what = make_printable(what)
        super().__init__(self.what)
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.what}\n{self.fix}" if self.fix else self.what


class UsageError(MotError):
    """A flag, a configuration key or a combination of them that makes no sense."""


class InputError(MotError):
    """The source cannot be read at all: nothing was tracked."""

    exit_code = EXIT_INPUT


class OutputError(MotError):
    """A result cannot be written: no space, no permission, or it would destroy the input."""

    exit_code = EXIT_OUTPUT


class ModelError(MotError):
    """A model cannot be loaded, or cannot be trained any further."""

    exit_code = EXIT_MODEL


class DeviceError(MotError):
    """The device asked for is missing, too old, or out of memory."""

    exit_code = EXIT_DEVICE


class DeviceFullError(DeviceError):
    """The device has no memory left for this much at once; less may still fit."""


class UnknownNameError(UsageError):
    """A name that is in no table; lists the known ones and the nearest of them."""

    def __init__(
        self, kind: str, name: str, known: Iterable[str], habits: Mapping[str, str] | None = None
    ) -> None:
        """Look for what may be meant.

        Args:
            kind: what the table holds.
            name: what is not in it.
            known: the names of the table.
            habits: the beginning of a name elsewhere, in plain letters -> what says the same here.
        """
        names = sorted(known)
        near = nearest(name, names)
        hint = f"Did you mean {' or '.join(near)}? " if near else ""
        if said := find_habit(name, habits or {}):
            hint = f"{said}\n"
        super().__init__(
            f"Unknown {kind} '{name}'.", fix=f"{hint}Choose one of: {', '.join(names)}"
        )


def find_habit(name: str, habits: Mapping[str, str]) -> str:
    """What `habits` says of a name, by the longest beginning that fits; empty for nothing.

    Large letters, signs and the places around a file's name do not count.
    """
    plain = re.sub(r"[^a-z\d]", "", name.lower().replace("\\", "/").rpartition("/")[2])
    return max(
        ((len(key), text) for key, text in habits.items() if plain.startswith(key)),
        default=(0, ""),
    )[1]


def nearest(name: str, known: Sequence[str], most: int = 3) -> list[str]:
    """The known names that look most like `name`, best first; empty when none is near."""
    return difflib.get_close_matches(name.lower(), list(known), n=most, cutoff=0.6)


def is_one_edit(name: str, other: str) -> bool:
    """Whether one letter more, less, another one or in the other order makes the names equal."""
    same = [one == two for one, two in zip(name, other, strict=False)]
    start = same.index(False) if False in same else len(same)
    one, two = name[start:], other[start:]
    swapped = one[:2] == two[1::-1] and one[2:] == two[2:]
    return name != other and (swapped or one[1:] in (two, two[1:]) or one == two[1:])


def not_installed(package: str, extra: str, purpose: str) -> ModelError:
    """The error for an optional package that a chosen feature needs."""
    return ModelError(
        f"{purpose} needs the package '{package}', which is not installed.",
        fix=f"Install it with: {install_command(extra)}   (or: pip install {package})",
    )


def cannot_read(path: Path, error: OSError | ValueError, what: str = "") -> InputError:
    """The error for a file that cannot be read, with the system's own reason and where to look.

    Args:
        path: the file.
        error: what the system said.
        what: what the file is, as in "the list"; nothing for a file that needs no other word.
    """
    possible = getattr(error, "strerror", None) or "no such name is possible"
    return InputError(
        f"Cannot read {what}{' ' if what else ''}'{path}': {possible}.", fix=find_path(path, error)
    )


def find_path(path: Path, error: BaseException | None = None) -> str:
    """What to do about a path that cannot be read: what is near it, or why it is refused.

    Args:
        path: the file or directory.
        error: what the system said of it, where it said something.
    """
    try:
        if path.is_dir():
            return f"'{path}' is a directory: name a file in it."
        is_other = path.exists() and not path.is_file()
        if is_other or (path.exists() and getattr(error, "errno", EACCES) not in (EACCES, EPERM)):
            return f"Give another file in place of '{path}'."
        if path.exists():
            return f"Allow this user to read it (chmod +r '{path}'), or copy it again."
        return _find_beside(path)
    except (OSError, ValueError):
        return f"Name an existing file instead of '{path}'."


def _find_beside(path: Path) -> str:
    """Names that are like the part of a path that is missing, or what stands in its place."""
    folder, lacks = path.parent, path
    while not folder.exists():
        folder, lacks = folder.parent, folder
    names = [file.name for file in islice(folder.iterdir(), MOST_NAMES)]
    shown = f"'{folder}'" if folder != Path() else f"The working directory '{Path.cwd()}'"
    near = [folder / name / path.relative_to(lacks) for name in nearest(lacks.name, names)]
    if there := [f"'{one}'" for one in near if one.exists()]:
        return f"Did you mean {' or '.join(there)}?"
    if lacks != path:
        return f"{shown} has no directory '{lacks.name}'."
    alike = sorted(name for name in names if name.lower().endswith(path.suffix.lower() or "\0"))
    if alike:
        return f"{shown} has other files ending in {path.suffix}, such as '{alike[0]}'."
    return f"{shown} is empty." if not names else f"{shown} has no file of such a name."


def cannot_write(path: Path, error: OSError) -> OutputError:
    """The error for an output that the system refuses, with the system's own reason."""
    return OutputError(
        f"Cannot write '{path}': {reason_of(error)}.",
        fix="Choose another place, or make room and check the permissions.",
    )


def reason_of(error: BaseException) -> str:
    """What an error says, as the end of a sentence: the first line of its own words, no full stop.

    The name of an exception is a word of the program's, so it is left out.
    """
    text = getattr(error, "strerror", None) or str(error)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0][:MOST_LETTERS].rstrip(".") if lines else "no reason was given"


def describe_bug(error: BaseException) -> MotError:
    """The error for a failure that the program did not expect: where it was, and what to do."""
    steps = traceback.extract_tb(error.__traceback__)
    own = [step for step in steps if Path(step.filename).is_relative_to(PACKAGE)]
    place = own[-1] if own else None
    where = f" at {Path(place.filename).relative_to(PACKAGE)}:{place.lineno}" if place else ""
    return MotError(
        f"The program failed{where}: {reason_of(error)}.",
        fix="This is a bug. Run again with --debug.",
    )


def out_of_memory() -> DeviceError:
    """The error for a machine that has no memory left."""
    return DeviceError(
        "There is no memory left for this.",
        fix="Try a smaller --imgsz, a smaller model, or a video of a smaller picture size.",
    )


SECRETS = re.compile(r"hf_\w{6,}|(?<=://)[^/\s'\"]+(?=@)")
QUERY = re.compile(r"(\w://[^\s'\"?]*\?)[^\s'\"]+")


def hide_secrets(text: str) -> str:
    """Blank out tokens, the user:password part of addresses and what they ask for with a `?`."""
    return QUERY.sub(r"\1***", SECRETS.sub("***", text))
