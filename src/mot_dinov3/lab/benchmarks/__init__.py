"""Benchmarks: one small file each, one line each in `factory.py`."""

from __future__ import annotations
