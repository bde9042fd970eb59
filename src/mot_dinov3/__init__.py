"""Multi-object tracking with DINO appearance, embedded only where it matters."""

from __future__ import annotations

__version__ = "0.1.0"
