"""Commands, and the one place where errors become exit codes."""

from __future__ import annotations

import logging
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mot_dinov3.commands.factory import COMMANDS, RENAMED
from mot_dinov3.commands.habits import choose_command
from mot_dinov3.commands.streams import discard_output, fill_gaps, flush_output, plain_streams
from mot_dinov3.errors import (
    EXIT_BUG,
    EXIT_DEVICE,
    EXIT_OUTPUT,
    EXIT_SIGINT,
    MotError,
    UsageError,
    describe_bug,
    hide_secrets,
    out_of_memory,
)
from mot_dinov3.runtime.compat import keep_paths_safe, quiet_picture_codecs
from mot_dinov3.runtime.interruption import watch_signals
from mot_dinov3.runtime.notices import ALERT, NOTICE, log_alert
from mot_dinov3.wording import program

LOST_DIRECTORY = "The working directory is gone: it was moved or removed."
CHANGE_DIRECTORY = "Change to one that exists, such as: cd ~"


def main(argv: list[str] | None = None) -> int:
    """Run one command; see `errors.py` for the exit codes."""
    words = list(sys.argv[1:] if argv is None else argv)
    fill_gaps()
    keep_paths_safe()
    if "--debug" not in words:
        quiet_picture_codecs()
    set_up_log(
        verbose="-v" in words or "--verbose" in words,
        debug="--debug" in words,
        quiet="-q" in words or "--quiet" in words,
    )
    with plain_streams(), watch_signals(), interruptible():
        try:
            warn_without_directory()
            return run_command(*choose_command(words))
        except MotError as error:
            say_traceback()
            say_error(str(error))
            return error.exit_code
        except BrokenPipeError:
            discard_output()
            return EXIT_OUTPUT
        except KeyboardInterrupt:
            say_error("Interrupted.")
            return EXIT_SIGINT
        except MemoryError:
            say_traceback()
            say_error(str(out_of_memory()))
            return EXIT_DEVICE
        except Exception as error:
            say_traceback()
            lost = isinstance(error, FileNotFoundError) and not has_directory()
            known = UsageError(LOST_DIRECTORY, fix=CHANGE_DIRECTORY) if lost else None
            say_error(str(known or describe_bug(error)))
            return known.exit_code if known else EXIT_BUG


def has_directory() -> bool:
    """Whether the working directory is still there."""
    try:
        Path.cwd()
    except FileNotFoundError:
        return False
    return True


def warn_without_directory() -> None:
    """Say that the working directory is gone, which other messages then follow from."""
    if not has_directory():
        log_alert(
            "%s Only absolute paths can work, and torch cannot. %s",
            LOST_DIRECTORY,
            CHANGE_DIRECTORY,
        )


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C raise `KeyboardInterrupt` inside.

    Outside of this, `cli.py` lets Ctrl-C end the process at once: while Python starts and while
    it shuts down there is nothing to lose, and no code that could catch the exception.
    """
    usual = signal.getsignal(signal.SIGINT)
    if usual is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)


def run_command(name: str, words: list[str]) -> int:
    """Import the command called `name` and run it with its arguments.

    Raises:
        UnknownNameError: there is no such command; the message lists the known ones.
        UsageError: the command has another name now.
    """
    if name in RENAMED:
        now = RENAMED[name]
        raise UsageError(f"'{name}' is called '{now}' now.", fix=f"Use: {program()} {now}")
    command = COMMANDS.load(name)
    with flush_output():
        return int(command.run(command.parser().parse_args(words)))


def say_error(text: str) -> None:
    """Print an error for people: first line what, the following lines what to do."""
    first, *rest = hide_secrets(text).splitlines() or [""]
    lines = [f"error: {first}", *(f"  {line.strip()}" for line in rest)]
    with suppress(OSError):  # without standard error the exit code alone has to do
        print("\n".join(lines), file=sys.stderr, flush=True)
    discard_output()


def say_traceback() -> None:
    """Print where the current exception came from, secrets blanked out, if `--debug` is set."""
    if logging.getLogger("mot_dinov3").isEnabledFor(logging.DEBUG):
        print(hide_secrets(traceback.format_exc()), end="", file=sys.stderr)


class _PlainHandler(logging.Handler):
    """Log lines of this package on standard error, with secrets blanked out."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one line."""
        level = "warning" if record.levelno == ALERT else record.levelname.lower()
        prefix = f"{level}: " if record.levelno >= logging.WARNING else ""
        first, *rest = hide_secrets(record.getMessage()).splitlines() or [""]
        print("\n".join([prefix + first, *(f"  {line.strip()}" for line in rest)]), file=sys.stderr)


def set_up_log(*, verbose: bool, debug: bool = False, quiet: bool = False) -> None:
    """Send this package's notices to standard error.

    `verbose` adds the detailed ones, `debug` the tracebacks; `quiet` leaves errors alone.
    """
    level = logging.ERROR if quiet else logging.INFO if verbose else NOTICE
    log = logging.getLogger("mot_dinov3")
    log.handlers = [_PlainHandler()]
    log.propagate = False
    log.setLevel(logging.DEBUG if debug else level)
