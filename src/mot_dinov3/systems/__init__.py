"""What answers `step(frame)`."""

from __future__ import annotations
