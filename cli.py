"""Start here: `python cli.py --source video.mp4`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "src"))

from mot_dinov3.commands import main

if __name__ == "__main__":
    sys.exit(main())
