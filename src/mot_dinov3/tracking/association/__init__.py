"""Association: who continues whom."""

from __future__ import annotations
