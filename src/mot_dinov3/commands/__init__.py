"""Commands: the table of words, and the one place where errors become exit codes."""

from __future__ import annotations

import sys


def main(argv: list[str] | None = None) -> int:
    """Run one command; see `errors.py` for the exit codes."""
    del argv
    print("not ready", file=sys.stderr)
    return 1
