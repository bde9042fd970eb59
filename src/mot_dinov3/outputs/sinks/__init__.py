"""Sinks: whatever keeps the results of a run."""

from __future__ import annotations
