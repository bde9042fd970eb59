"""How boxes move: filters that predict, and what was really seen."""

from __future__ import annotations
