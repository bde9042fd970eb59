"""Many videos with the same settings: one after another, in processes, or on a Ray cluster."""

from __future__ import annotations
