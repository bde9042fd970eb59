"""The parser of every command: one sentence for a wrong word, and the nearest right one."""

from __future__ import annotations

import argparse
import re
from shutil import get_terminal_size
from typing import Any, NoReturn

from mot_dinov3.errors import UsageError, nearest

WIDTH = 96
"""Columns of a help text where there is room."""


class CommandParser(argparse.ArgumentParser):
    """An `ArgumentParser` that raises `UsageError` and guesses what was meant."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - handed on to argparse
        options.setdefault("formatter_class", _Formatter)
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the whole usage.

        Raises:
            UsageError: always.
        """
        raise UsageError(f"{message[:1].upper()}{message[1:]}.", fix=self._hint(message))

    def _hint(self, message: str) -> str:
        wrong = re.search(r"unrecognized arguments: (--[\w-]+)", message)
        known = [word for action in self._actions for word in action.option_strings]
        near = nearest(wrong.group(1), known) if wrong else []
        ask = f"See: python {self.prog} --help"
        return f"Did you mean {' or '.join(near)}?" if near else ask


class _Formatter(argparse.HelpFormatter):
    """Help as wide as the terminal, up to what is good to read."""

    def __init__(self, prog: str) -> None:
        width = min(WIDTH, get_terminal_size((WIDTH + 2, 24)).columns - 2)
        super().__init__(prog, max_help_position=min(32, width // 3), width=width)
