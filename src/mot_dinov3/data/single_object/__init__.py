"""Sequences that show where one object is in every picture, to learn from and to measure on."""

from __future__ import annotations
