"""Networks that describe an object by which it is recognised again."""

from __future__ import annotations
