"""The command line as a process of its own, started as a user would."""

from __future__ import annotations

import os
import re
import resource
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import TypeAlias

from mot_dinov3.lab.selftest.cases import BrokenPromiseError, expect

LIMIT_S = 120.0
"""A run of a selftest that takes longer hangs."""

QUIET_PREFIXES = ("MOT_", "HF_", "HUGGING", "TRANSFORMERS_")
"""Variables of the caller that would change what a run does."""

OFFLINE = {"HF_HUB_OFFLINE": "1", "YOLO_OFFLINE": "1"}

Process: TypeAlias = "subprocess.Popen[str]"


@dataclass(frozen=True, slots=True)
class ProcessResult:
    """How a process ended.

    Attributes:
        code: its exit code, negative after a signal that it did not handle.
        out: what it said on standard output.
        err: what it said on standard error.
        seconds: how long it ran, or was waited for.
    """

    code: int
    out: str
    err: str
    seconds: float


@dataclass(frozen=True, slots=True)
class ProcessSetup:
    """What a process finds when it starts.

    Attributes:
        variables: set beside the caller's.
        file_limit: bytes that any file of it may have, as if the disk were full; None for any.
        before: words that start the program inside of something else.
    """

    variables: Mapping[str, str] = field(default_factory=dict)
    file_limit: int | None = None
    before: tuple[str, ...] = ()


def start(
    program: Sequence[str],
    words: Sequence[object],
    directory: Path,
    around: ProcessSetup | None = None,
) -> Process:
    """Start the command line with `words` in `directory`, one thread to each operation."""
    around = around or ProcessSetup()
    # Byte code that is cut off by a limit would be kept, and break later starts.
    unlimited = {} if around.file_limit is None else {"PYTHONDONTWRITEBYTECODE": "1"}
    kept = {k: v for k, v in os.environ.items() if not k.startswith(QUIET_PREFIXES)}
    process = subprocess.Popen(
        [*around.before, *program, *map(str, words)],
        cwd=directory,
        env={**kept, "OMP_NUM_THREADS": "1", **OFFLINE, **unlimited, **around.variables},
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    if around.file_limit is not None:
        # From outside, long before the interpreter is up: a hook in the child of a process with
        # threads may hang. Python ignores SIGXFSZ, so that writing fails with EFBIG.
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (around.file_limit,) * 2)
    return process


def end(process: Process, limit_s: float = LIMIT_S) -> ProcessResult:
    """Wait for the end of a process.

    Raises:
        BrokenPromiseError: it hangs; it is killed then.
    """
    started = perf_counter()
    try:
        out, err = process.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise BrokenPromiseError(f"it hangs: no end after {limit_s:.0f} s; {tail(err)}") from None
    return ProcessResult(process.returncode, out, err, perf_counter() - started)


def run(
    program: Sequence[str],
    words: Sequence[object],
    directory: Path,
    around: ProcessSetup | None = None,
) -> ProcessResult:
    """Start the command line and wait for its end.

    Raises:
        BrokenPromiseError: it hangs.
    """
    started = perf_counter()
    ended = end(start(program, words, directory, around))
    return replace(ended, seconds=perf_counter() - started)


def tail(text: str, most: int = 300) -> str:
    """The end of what a process said, on one line."""
    return " | ".join(text.strip().splitlines())[-most:] or "(it said nothing)"


def expect_code(ended: ProcessResult, code: int) -> None:
    """Go on only when the process ended with `code` and without a traceback.

    Raises:
        BrokenPromiseError: it did not.
    """
    expect(ended.code == code, f"exit code {ended.code} instead of {code}: {tail(ended.err)}")
    expect("Traceback" not in ended.err, f"a traceback is shown: {tail(ended.err)}")


def expect_explained(ended: ProcessResult, says: str) -> None:
    """Go on only when one error is explained: a sentence with `says` in it, and a remedy.

    Lines before it (warnings, the summary) do not count.

    Args:
        ended: how the process ended.
        says: a regular expression that the error must match, remedy included.

    Raises:
        BrokenPromiseError: no error or more than one is shown, it does not match `says`, or it
            has no remedy.
    """
    errors = re.findall(r"^error: .*(?:\n  .*)*", ended.err, re.M)
    expect(len(errors) == 1, f"{len(errors)} errors instead of one: {tail(ended.err)}")
    first, *rest = errors[0].splitlines()
    expect(first.endswith("."), f"no sentence: {first}")
    expect(rest, f"no remedy: {first}")
    expect(re.search(says, errors[0]), f"'{says}' is not in: {tail(errors[0])}")
