"""Start here: `python cli.py video.mp4`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "src"))

from mot_dinov3.__main__ import start

if __name__ == "__main__":
    sys.exit(start())
