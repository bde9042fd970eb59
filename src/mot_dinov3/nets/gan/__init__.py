"""Networks that make pictures, and those that they learn from."""

from __future__ import annotations
