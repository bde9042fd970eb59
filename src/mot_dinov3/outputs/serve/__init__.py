"""A run on a web page: its pictures, its counters and a way to end it."""

from __future__ import annotations
