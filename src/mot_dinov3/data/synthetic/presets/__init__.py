"""Ready-made worlds: one file and one line in `factory.py` each."""

from __future__ import annotations
