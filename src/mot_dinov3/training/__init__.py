"""Training recipes."""

from __future__ import annotations
