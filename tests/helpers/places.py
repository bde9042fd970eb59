"""Where the project and the test assets lie."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"
ASSETS = ROOT.parent / "shared" / "assets"
