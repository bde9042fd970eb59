"""`python -m mot_dinov3`, and what `mot-dinov3` and `cli.py` start."""

from __future__ import annotations

import signal
import sys


def start() -> int:
    """Run the command line, and return its exit code.

    Until there is something to interrupt, Ctrl-C ends the process at once.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from mot_dinov3.commands import main

    return main()


if __name__ == "__main__":
    sys.exit(start())
