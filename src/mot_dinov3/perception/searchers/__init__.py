"""Searchers: whatever finds a known object again in the next frame, without a detector."""

from __future__ import annotations
