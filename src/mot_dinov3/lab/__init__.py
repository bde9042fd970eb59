"""Recordings, tuning, benchmarks, self-tests: they measure the product and are not part of it."""

from __future__ import annotations
