"""Learn how tracks move together, from trajectories alone."""

from __future__ import annotations
