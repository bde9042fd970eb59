"""One source from frames to outputs."""

from __future__ import annotations
