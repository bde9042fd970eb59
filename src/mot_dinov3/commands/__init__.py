"""Commands, and the one place where errors become exit codes."""

from __future__ import annotations

import logging
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from mot_dinov3.commands.factory import COMMANDS, DEFAULT_COMMAND, RENAMED
from mot_dinov3.commands.streams import discard_output, fill_gaps, flush_output, plain_streams
from mot_dinov3.errors import (
    EXIT_BUG,
    EXIT_DEVICE,
    EXIT_OUTPUT,
    EXIT_SIGINT,
    MotError,
    UsageError,
    hide_secrets,
    out_of_memory,
)
from mot_dinov3.runtime.compat import keep_paths_safe
from mot_dinov3.runtime.interruption import watch_signals
from mot_dinov3.runtime.notices import NOTICE


def main(argv: list[str] | None = None) -> int:
    """Run one command; see `errors.py` for the exit codes."""
    words = list(sys.argv[1:] if argv is None else argv)
    fill_gaps()
    keep_paths_safe()
    set_up_log(verbose="-v" in words or "--verbose" in words, debug="--debug" in words)
    name = words.pop(0) if words and not words[0].startswith("-") else DEFAULT_COMMAND
    with plain_streams(), watch_signals(), interruptible():
        try:
            return run_command(name, words)
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
            say_error(f"{type(error).__name__}: {error}\nThis is a bug. Run again with --debug.")
            return EXIT_BUG


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
        raise UsageError(f"'{name}' is called '{now}' now.", fix=f"Use: python cli.py {now}")
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
        prefix = f"{record.levelname.lower()}: " if record.levelno >= logging.WARNING else ""
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
