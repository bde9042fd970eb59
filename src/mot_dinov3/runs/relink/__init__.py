"""Relinking: which tracks of a finished run are one object, by appearance, time and place."""

from __future__ import annotations
