"""What every room may stand on: devices, time, threads, statistics."""

from __future__ import annotations
