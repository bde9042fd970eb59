"""Data sets and drawn worlds."""

from __future__ import annotations
