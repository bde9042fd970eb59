"""Counting at lines and zones: which confirmed track crossed, entered or left, and for how long."""

from __future__ import annotations
