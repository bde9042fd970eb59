"""Start here: `python cli.py --source video.mp4`."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "src"))
if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until there is something to interrupt

from mot_dinov3.commands import main

if __name__ == "__main__":
    sys.exit(main())
