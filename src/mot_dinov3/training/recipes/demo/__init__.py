"""The two small models that ship in the package."""

from __future__ import annotations
