"""The fault scoreboard: what a run survives, measured by breaking it on purpose."""

from __future__ import annotations
