"""Motion models: where each track will be in the next frame."""

from __future__ import annotations
