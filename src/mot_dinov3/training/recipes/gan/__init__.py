"""Pictures of invented objects, learned from crops."""

from __future__ import annotations
