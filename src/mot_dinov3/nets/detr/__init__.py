"""Detection transformers on the maps of a backbone."""

from __future__ import annotations
