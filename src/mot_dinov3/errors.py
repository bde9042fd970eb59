"""The kinds of problem a user can have: each one sentence, one remedy, one exit code."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from mot_dinov3.wording import make_printable

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

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        near = nearest(name, names)
        hint = f"Did you mean {' or '.join(near)}? " if near else ""
        super().__init__(
            f"Unknown {kind} '{name}'.", fix=f"{hint}Choose one of: {', '.join(names)}"
        )


def nearest(name: str, known: Sequence[str], most: int = 3) -> list[str]:
    """The known names that look most like `name`, best first; empty when none is near."""
    return difflib.get_close_matches(name.lower(), list(known), n=most, cutoff=0.6)


def not_installed(package: str, extra: str, purpose: str) -> ModelError:
    """The error for an optional package that a chosen feature needs."""
    return ModelError(
        f"{purpose} needs the package '{package}', which is not installed.",
        fix=f"Install it with: pip install '.[{extra}]'   (or: pip install {package})",
    )


def cannot_write(path: Path, error: OSError) -> OutputError:
    """The error for an output that the system refuses, with the system's own reason."""
    reason = error.strerror or str(error) or type(error).__name__
    return OutputError(
        f"Cannot write '{path}': {reason}.",
        fix="Choose another place, or make room and check the permissions.",
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
