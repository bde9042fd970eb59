"""The recipe `sot`: a network that finds one object again."""

from __future__ import annotations
